"""The audit log is append-only: in the model, and in the database below it."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditEvent
from accounts.services import accounts
from tests.cast import Cast


@pytest.fixture
def event(cast: Cast) -> AuditEvent:
    accounts.rename(by=cast.by("owner"), account=cast.account, name="Team Crimson")
    return AuditEvent.objects.get()


def test_the_model_refuses(event: AuditEvent) -> None:
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()


@pytest.mark.parametrize(
    "command", ["UPDATE accounts_auditevent SET actor = 'nobody'", "DELETE FROM accounts_auditevent"]
)
def test_the_database_refuses(event: AuditEvent, command: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(command)
    assert AuditEvent.objects.get().actor == "owner@example.com"


EMPTIED = ["accounts_auditevent", "accounts_auditseal", "django_session, accounts_auditevent CASCADE"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("tables", EMPTIED)
def test_postgresql_does_not_empty_it_either(event: AuditEvent, tables: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(f"TRUNCATE {tables}")
    assert AuditEvent.objects.get() == event


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_next_test_begins_with_an_empty_trail(event: AuditEvent, time: str) -> None:
    assert event.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_next_test_begins_with_a_guarded_trail(event: AuditEvent, time: str) -> None:
    """The first is flushed past the guard, and the second has it again."""
    with pytest.raises(DatabaseError, match="append-only"):
        connection.cursor().execute("DELETE FROM accounts_auditevent")
    if connection.vendor == "postgresql":
        with pytest.raises(DatabaseError, match="append-only"):
            connection.cursor().execute("TRUNCATE accounts_auditevent")
