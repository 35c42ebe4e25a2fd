"""docs/clients.md says what the tests replay, and the bounds that the code has."""

from registry_sync.tokens.request import MAX_BODY
from registry_sync.tokens.scope import MAX_LENGTH, MAX_REPOSITORIES
from tests.token_requests import load
from tests.token_requests.table import PAGE, tables, with_tables


def test_the_tables_are_those_of_the_data() -> None:
    assert PAGE.read_text() == with_tables(PAGE.read_text()), "run python -m tests.token_requests.table"


def test_every_client_command_and_scope_is_in_them() -> None:
    clients = load()
    text = tables(clients)
    for client in clients:
        assert f"### {client.name}\n" in text
        for command in client.commands:
            assert f"| {command.does} | {command.tokens} | " in text
        for request in client.requests:
            assert all(f"`{scope}`" in text for scope in request.asks)


def test_each_command_made_as_many_requests_as_it_says() -> None:
    """regsync's differ in how many repositories they name; two of them stand for all."""
    for client in load():
        for command in client.commands:
            told = sum(request.times for request in command.requests)
            assert told == command.tokens or "60 pairs" in command.does, command


def test_the_bounds_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert f"| {MAX_REPOSITORIES:,} repositories |" in page
    assert f"| {MAX_LENGTH // 1024} KB of scopes, " in page
    assert f"| a form of {MAX_BODY // 1024} KB, " in page
    commands = [command for client in load() for command in client.commands]
    assert f"{len(commands)} commands of {len({client.client for client in load()})} clients" in page
