"""What real clients ask of the token door, as they sent it: clients.json, from which docs/clients.md is made too.

Everything was asked of one installation. `team` and `other` are namespaces of one account, `pub` is a public one.
`admin` has admin on all three, `write` and `read` have their level on `team` alone. In the file `holds` is null where
the answer is 401, `each` repeats the scopes for {n} from 1 on, and a request has its client's `method` and `sends`
unless it says otherwise.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

FILE = Path(__file__).with_name("clients.json")
LEVELS = ("admin", "write", "read")
NAMESPACES = ("team", "other", "pub")


@dataclass(frozen=True)
class Credentials:
    username: str
    password: str


@dataclass(frozen=True)
class Request:
    """`by` has one of LEVELS, or is "nobody", "wrong password" or "a person"."""

    by: str
    method: str
    sends: Mapping[str, str]
    asks: list[str]
    holds: list[str] | None
    times: int = 1
    each: int = 1

    @property
    def scopes(self) -> list[str]:
        return _repeated(self.asks, self.each)

    @property
    def held(self) -> list[str] | None:
        return None if self.holds is None else sorted(_repeated(self.holds, self.each))

    def fields(self, service: str, who: Credentials | None) -> str:
        """The query of a GET, or the form of a POST, in the order in which clients sort it."""
        fields = [
            (key, who.username if who and value == "USERNAME" else value) for key, value in self.sends.items()
        ]
        fields += [("service", service), *(("scope", scope) for scope in self.scopes)]
        if who and self.method == "POST":
            fields += [("username", who.username), ("password", who.password)]
        return urlencode(sorted(fields, key=lambda field: field[0]))


@dataclass(frozen=True)
class Command:
    """`tokens`: how many requests it made in all."""

    does: str
    tokens: int
    requests: list[Request]


@dataclass(frozen=True)
class Client:
    client: str
    version: str
    agent: str
    method: str
    sends: Mapping[str, str]
    know: str
    commands: list[Command]

    @property
    def name(self) -> str:
        return f"{self.client} {self.version}".strip()

    @property
    def requests(self) -> list[Request]:
        return [request for command in self.commands for request in command.requests]


def load() -> list[Client]:
    return [_client(**each) for each in json.loads(FILE.read_text())]


def held(access: list[dict[str, Any]]) -> list[str]:
    """What a token's `access` gives, written as in the file."""
    assert {each["type"] for each in access} <= {"repository"}
    order = ("pull", "push", "delete")
    return sorted(f"{each['name']}:{','.join(sorted(each['actions'], key=order.index))}" for each in access)


def _repeated(texts: list[str], each: int) -> list[str]:
    return [text.replace("{n}", str(n)) for n in range(1, each + 1) for text in texts]


def _client(commands: list[dict[str, Any]], **rest: Any) -> Client:
    inherited = {"method": rest["method"], "sends": rest["sends"]}
    return Client(commands=[_command(inherited, **each) for each in commands], **rest)


def _command(inherited: Mapping[str, Any], requests: list[dict[str, Any]], **rest: Any) -> Command:
    return Command(requests=[_request(**{**inherited, **each}) for each in requests], **rest)


def _request(**fields: Any) -> Request:
    return Request(by=fields.pop("as"), **fields)
