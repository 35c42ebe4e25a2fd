"""Run inside `manage.py shell`: requests each path of standard input again and again, prints what each time took."""

import json
import sys
import time
from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import Person

ROUNDS = 15  # more than PostgreSQL plans for values before it plans for all


def answer(client: Client, path: str) -> tuple[float, float]:
    """Return the seconds of a whole request, and of its statements."""
    asked = 0.0

    def timed(execute: Any, *statement: Any) -> Any:
        nonlocal asked
        began = time.perf_counter()
        try:
            return execute(*statement)
        finally:
            asked += time.perf_counter() - began

    began = time.perf_counter()
    with connection.execute_wrapper(timed):
        response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return time.perf_counter() - began, asked


client = Client(headers={"host": "localhost"})
client.force_login(Person.objects.get(email="listing@example.com"))
for line in sys.stdin:
    print(json.dumps([answer(client, line.strip()) for _round in range(ROUNDS)]), flush=True)
