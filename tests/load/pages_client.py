"""Run inside a tree's `manage.py shell`: for each [path, times] of the input what it took of a core."""

import json
import sys
import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Person

client = Client(headers={"host": "localhost"})
client.force_login(Person.objects.get(email="listing@example.com"))
for line in sys.stdin:
    path, times = json.loads(line)
    headers = {"hx-request": "true", "hx-target": "tags"} if path.startswith("HX ") else {}
    seconds = []
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path.removeprefix("HX "), headers=headers)
    statements = len(asked)  # now: the next request empties the log
    for _time in range(times):
        began = time.thread_time()
        client.get(path.removeprefix("HX "), headers=headers)
        seconds.append(time.thread_time() - began)
    found = {"seconds": seconds, "statements": statements, "status": answer.status_code}
    print(json.dumps(found), flush=True)
