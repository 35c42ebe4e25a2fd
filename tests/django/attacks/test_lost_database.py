"""Without its database the panel says so to everybody, and tells neither that it is empty nor where it is."""

import sqlite3
from typing import Any

import psycopg
import pytest
from django.db import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.test import Client

from accounts.common.database_errors import Outage, UnknownPooler, outage_of
from tests.cast import Cast
from tests.django.api.caller import Caller, token_of

PAGES = ["/", "/a/team-red/images/", "/a/team-red/users/", "/a/team-red/settings/", "/me/tokens/", "/search/?q=x",
         "/system/", "/readyz", "/me/sessions/", "/nowhere/"]  # fmt: skip
PLACE = "10.0.0.9"


def lost(error: type[Exception], cause: Exception | None = None) -> Any:
    def wrapper(*_arguments: Any) -> None:
        raise error(f"server closed the connection at {PLACE}") from cause

    return connection.execute_wrapper(wrapper)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_unavailable_and_there_again(cast: Cast, path: str, error: type[Exception]) -> None:
    client = cast.client("owner")
    client.raise_request_exception = False
    before = client.get(path).status_code
    with lost(error):
        answer = client.get(path)
    assert answer.status_code == 503
    assert PLACE not in answer.content.decode()
    assert client.get(path).status_code == before != 503


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_the_api_is_unavailable_and_there_again(cast: Cast, error: type[Exception]) -> None:
    caller = Caller(token_of(cast.owner))
    caller.client.raise_request_exception = False
    with lost(error):
        answer = caller.get("accounts/team-red/users/")
    assert answer.status_code == 503
    assert PLACE not in answer.content.decode()
    assert caller.get("accounts/team-red/users/").status_code == 200


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_nobody_gets_in_meanwhile(cast: Cast, error: type[Exception]) -> None:
    client = Client(raise_request_exception=False)
    with lost(error):
        answer = client.post("/me/login/", {"login": cast.owner.email, "password": "correct horse battery"})
    assert answer.status_code == 503
    assert not answer.cookies


def full_disk() -> Exception:
    """As the driver of the database in use says it."""
    if connection.vendor == "postgresql":
        return psycopg.errors.DiskFull()
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def test_a_full_disk_is_called_by_its_name(cast: Cast) -> None:
    caller, client = Caller(token_of(cast.owner)), cast.client("owner")
    with lost(OperationalError, full_disk()):
        page, answer = client.get("/a/team-red/images/"), caller.get("accounts/team-red/users/")
    assert page.status_code == answer.status_code == 503
    assert page["Retry-After"] == answer["Retry-After"] == "5"
    assert "The panel’s disk is full" in page.content.decode()
    assert "The panel’s disk is full" in answer.json()["error"]["message"]


def test_the_page_asks_again_by_itself_but_never_sends_again(cast: Cast) -> None:
    client = cast.client("owner")
    with lost(OperationalError):
        seen, sent = client.get("/search/?q=a&page=2"), client.post("/a/team-red/settings/")
    assert seen.status_code == sent.status_code == 503
    assert "again.js" in seen.content.decode()
    assert (
        'href=""' in seen.content.decode()
    )  # the same address, which may hold a secret that no page repeats
    assert "again.js" not in sent.content.decode()


def test_a_form_without_its_key_is_unavailable_too(cast: Cast) -> None:
    """The page that says why is in the frame, which asks the database."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies = cast.client("owner").cookies
    assert client.post("/a/team-red/settings/").status_code == 403
    with lost(OperationalError):
        assert client.post("/a/team-red/settings/").status_code == 503


def test_a_fault_of_ours_is_no_outage() -> None:
    for error in (
        ProgrammingError("no such column"),
        InternalError("transaction is aborted"),
        ValueError(),
        None,
    ):
        assert outage_of(error) is None
    for error in (OperationalError(), InterfaceError()):
        assert outage_of(error) is Outage.AWAY


def test_a_lock_that_is_not_to_be_had_and_a_standby_are_told_apart() -> None:
    busy, standby = OperationalError(), InternalError()
    busy.__cause__, standby.__cause__ = (
        psycopg.errors.LockNotAvailable(),
        psycopg.errors.ReadOnlySqlTransaction(),
    )
    assert (outage_of(busy), outage_of(standby)) == (Outage.BUSY, Outage.READ_ONLY)


def test_a_pooler_that_nobody_named_is_called_by_its_name(cast: Cast) -> None:
    """However it shows: it refuses the connection, or gives another one."""
    refused = OperationalError("FATAL:  unsupported startup parameter: options")
    mixed = ProgrammingError('prepared statement "_pg3_0" already exists')
    mixed.__cause__ = psycopg.errors.DuplicatePreparedStatement()
    for error in (refused, mixed, UnknownPooler()):
        assert outage_of(error) is Outage.POOLER
    client = cast.client("owner")
    with lost(ProgrammingError, psycopg.errors.DuplicatePreparedStatement()):
        page = client.get("/a/team-red/images/")
    assert page.status_code == 503
    assert "DATABASE_POOLER" in page.content.decode()


@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 FROM of_a_later_version", "SELECT later FROM accounts_account",
     "INSERT INTO accounts_account (later) VALUES (1)"],
)  # fmt: skip
def test_tables_of_another_version_are_called_that(cast: Cast, statement: str) -> None:
    """A table or a column that is not there yet, as the database in use says it."""
    with pytest.raises(DatabaseError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert outage_of(raised.value) is Outage.OTHER_VERSION
    caller, client = Caller(token_of(cast.owner)), cast.client("owner")
    cause = raised.value.__cause__
    assert isinstance(cause, Exception)
    with lost(type(raised.value), cause):
        page, answer = client.get("/a/team-red/images/"), caller.get("accounts/team-red/users/")
    assert page.status_code == answer.status_code == 503
    assert "manage.py migrate" in page.content.decode()
    assert "manage.py migrate" in answer.json()["error"]["message"]
