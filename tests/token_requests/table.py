"""Writes the tables of docs/clients.md from clients.json: `python -m tests.token_requests.table`."""

from collections.abc import Iterable
from pathlib import Path

from tests.token_requests import Client, Command, Request, load

PAGE = Path(__file__).parents[2] / "docs/clients.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def with_tables(page: str) -> str:
    """`page` with its tables as they must be."""
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables(load())}\n{END}{after}"


def tables(clients: list[Client]) -> str:
    parts = [
        "## In short",
        "",
        *_table(_SHORT, map(_short, clients)),
        "",
        "## Command by command",
        "",
        _LEGEND,
    ]
    for client in clients:
        parts += ["", f"### {client.name}", "", _how(client), "", *_table(_LONG, map(_long, client.commands))]
    return "\n".join(parts) + "\n"


_SHORT = ("client", "asks by", "with", "says of itself", "several scopes", "worth knowing")
_LONG = ("command", "requests", "by", "scopes → what the token holds")

_LEGEND = """\
`team` and `other` are namespaces of one account, `pub` is a public one. `admin` has admin on all three; `write` and
`read` have their level on `team` alone; `nobody` is signed out. `&` stands between scopes that are parameters of their
own, a space between those in one; (×2) is asked twice. What is refused is asked by whoever may not."""


def _short(client: Client) -> tuple[str, ...]:
    signed_in = [each for each in client.requests if each.by != "nobody"]
    methods = dict.fromkeys(each.method for each in signed_in)
    ways = {"GET": "Basic", "POST": "the form"}
    said = sorted({_said(each) for each in signed_in} - {""})
    return (
        f"[{client.name}](#{client.name.lower().replace('.', '').replace(' ', '-')})",
        ", ".join(methods),
        ", ".join(ways[each] for each in methods),
        "; ".join(said),
        _several(client.requests),
        client.know,
    )


def _said(request: Request) -> str:
    named = (
        "its username" if value == "USERNAME" else f"`{key}={value}`"
        for key, value in request.sends.items()
        if key != "grant_type"
    )
    return ", ".join(named)


def _several(requests: list[Request]) -> str:
    spaced = any(" " in scope for each in requests for scope in each.scopes)
    repeated = any(len(each.scopes) > 1 for each in requests)
    return ", ".join(["repeated"] * repeated + ["in one, with spaces"] * spaced)


def _how(client: Client) -> str:
    agent = f"User-Agent `{client.agent}`." if client.agent else "It gives no name."
    return f"{agent} Requests are {client.method} unless it is said."


def _long(command: Command) -> tuple[str, ...]:
    users = dict.fromkeys(each.by for each in command.requests)
    method = {each.method for each in command.requests}
    asked = "<br>".join(_asked(each, say_method=len(method) > 1) for each in command.requests)
    return command.does, str(command.tokens), ", ".join(users), asked or "asks for none"


def _asked(request: Request, *, say_method: bool) -> str:
    scopes = " & ".join(f"`{scope}`" for scope in request.asks) or "no scope"
    each = f", for n from 1 to {request.each}" if request.each > 1 else ""
    times = f" (×{request.times})" if request.times > 1 else ""
    return f"{request.method + ' ' if say_method else ''}{scopes}{each} → {_got(request)}{times}"


def _got(request: Request) -> str:
    if request.held is None:
        return "401"
    if not request.held:
        return "nothing"
    asked = {item for scope in request.scopes for item in scope.removeprefix("repository:").split(" ")}
    if {_sorted(item.removeprefix("repository:")) for item in asked} == {
        _sorted(item) for item in request.held
    }:
        return "all of it"
    return " & ".join(f"`{item}`" for item in request.holds or [])


def _sorted(item: str) -> str:
    name, _colon, actions = item.rpartition(":")
    return f"{name}:{','.join(sorted(actions.split(',')))}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
