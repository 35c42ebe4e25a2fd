"""Calls the API as the people of the cast do, with an API token."""

import json
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import credentials
from accounts.models import ApiToken, Person
from accounts.peppers import peppers

API = "/api/v1/"


class Caller:
    """Paths are those after /api/v1/; bodies are JSON. No token: nobody at all."""

    def __init__(self, token: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> HttpResponse:
        sent: dict[str, Any] = {"headers": self.headers, **more}
        if body is not None:
            sent |= {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method.upper(), API + path, **sent)

    def get(self, path: str) -> HttpResponse:
        return self("GET", path)

    def post(self, path: str, body: Any = None) -> HttpResponse:
        return self("POST", path, body)

    def patch(self, path: str, body: Any = None) -> HttpResponse:
        return self("PATCH", path, body)

    def delete(self, path: str, body: Any = None) -> HttpResponse:
        return self("DELETE", path, body)


def token_of(person: Person, *, expires_at: datetime | None = None, **may: Any) -> str:
    """A token that may do whatever the person may; `may`: what it has instead, such as `scope="read"`."""
    text = credentials.make(credentials.API_PREFIX)
    ApiToken.objects.create(
        person=person,
        name="CI",
        digest=credentials.digests(text, peppers())[0],
        hint=text[-4:],
        expires_at=expires_at,
        last_used_at=timezone.now(),
        **({"as_operator": person.is_staff} | may),
    )
    return text


def error_of(response: HttpResponse) -> dict[str, Any]:
    """The error, after proving that the answer is nothing but one."""
    body = json.loads(response.content)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["message"]
    found: dict[str, Any] = body["error"]
    return found


def fields_of(response: HttpResponse) -> set[str]:
    return set(error_of(response)["fields"])
