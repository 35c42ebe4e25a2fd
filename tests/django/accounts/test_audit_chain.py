"""The audit log is sealed: what is changed past the triggers shows, whoever has the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from accounts import audit_chain
from accounts.models import AuditEvent, AuditSeal
from accounts.peppers import peppers
from accounts.services import accounts
from registry_sync.doctor import local
from registry_sync.doctor.result import State
from registry_sync.tasks import housekeeping, verify_audit_log
from tests.cast import Cast

LATER = timedelta(hours=1)


@pytest.fixture
def audit_log(cast: Cast) -> list[AuditEvent]:
    """Six events under two seals, and one that is not sealed yet."""
    for number in range(7):
        accounts.rename(by=cast.by("owner"), account=cast.account, name=f"Team {number} \U0001f433")
        if number in (2, 5):
            assert audit_chain.seal(now=timezone.now() + LATER)
    return list(AuditEvent.objects.order_by("id"))


@contextmanager
def only_pepper(file: Path, key: str) -> Iterator[None]:
    file.write_text(key)
    file.chmod(0o600)
    with override_settings(SECRETS_DIR=file.parent):
        peppers.cache_clear()
        yield
    peppers.cache_clear()


@contextmanager
def without_triggers() -> Iterator[Any]:
    """As somebody who owns the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield cursor
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield cursor
        for _name, sql in triggers:
            cursor.execute(sql)


def test_an_audit_log_that_nobody_touched_is_whole(audit_log: list[AuditEvent]) -> None:
    assert [(each.event_count, each.last_event_id) for each in AuditSeal.objects.all()] == [
        (3, audit_log[2].pk),
        (3, audit_log[5].pk),
    ]
    assert list(audit_chain.problems()) == []


@pytest.mark.parametrize(
    "column", ["actor", "address", "action", "object", "object_id", "at", "after", "account_id"]
)
def test_a_changed_event_shows(audit_log: list[AuditEvent], column: str) -> None:
    values = {"at": "2020-01-01 00:00:00+00:00", "after": "{}", "account_id": "999999"}
    with without_triggers() as cursor:
        value = values.get(column, "nobody")
        statement = f"UPDATE accounts_auditevent SET {column} = %s WHERE id = %s"  # noqa: S608
        cursor.execute(statement, [value, audit_log[1].pk])
    (problem,) = audit_chain.problems()
    assert f"to {audit_log[2].pk} does not hold" in problem.text


@pytest.mark.parametrize(("number", "broken"), [(0, 1), (4, 2)])
def test_a_deleted_event_shows(audit_log: list[AuditEvent], number: int, broken: int) -> None:
    with without_triggers() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent WHERE id = %s", [audit_log[number].pk])
    (problem,) = audit_chain.problems()
    assert (
        f"to {audit_log[broken * 3 - 1].pk} does not hold: there were 3 events, and there are 2."
        in problem.text
    )


def test_an_event_that_was_moved_shows(audit_log: list[AuditEvent]) -> None:
    with without_triggers() as cursor:
        cursor.execute(
            "UPDATE accounts_auditevent SET id = %s WHERE id = %s", [-audit_log[0].pk, audit_log[0].pk]
        )
    assert len(list(audit_chain.problems())) == 1


def test_a_seal_that_is_gone_takes_the_next_with_it(audit_log: list[AuditEvent]) -> None:
    first = AuditSeal.objects.earliest("id")
    with without_triggers() as cursor:
        cursor.execute("DELETE FROM accounts_auditseal WHERE id = %s", [first.pk])
    assert len(list(audit_chain.problems())) == 1


def test_a_seal_cannot_be_made_anew_without_the_pepper(audit_log: list[AuditEvent], tmp_path: Path) -> None:
    """Who has only the database forges event and seals with a key of their own."""
    with without_triggers() as cursor:
        cursor.execute("UPDATE accounts_auditevent SET actor = 'nobody' WHERE id = %s", [audit_log[1].pk])
        cursor.execute("DELETE FROM accounts_auditseal")
    with only_pepper(tmp_path / "pepper-1.key", "another key of somebody's own making"):
        assert audit_chain.seal(now=timezone.now() + LATER)
        assert list(audit_chain.problems()) == []
    assert len(list(audit_chain.problems())) == 1


def test_what_may_still_be_joined_by_others_is_not_sealed(cast: Cast) -> None:
    accounts.rename(by=cast.by("owner"), account=cast.account, name="Blue")
    assert audit_chain.seal(now=timezone.now()) is None
    assert audit_chain.seal(now=timezone.now() + LATER)
    assert audit_chain.seal(now=timezone.now() + LATER) is None
    assert AuditSeal.objects.count() == 1


def test_a_seal_is_append_only_too(audit_log: list[AuditEvent]) -> None:
    made = AuditSeal.objects.earliest("id")
    for act in (made.save, made.delete):
        with pytest.raises(TypeError):
            act()


def test_the_worker_seals_and_tells_the_log(
    audit_log: list[AuditEvent], caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.AUDIT_SETTLED = -LATER.total_seconds()
    housekeeping()
    last = AuditSeal.objects.latest("id")
    assert (last.last_event_id, last.event_count) == (audit_log[6].pk, 1)
    verify_audit_log()
    assert "was changed" not in caplog.text
    assert local.audit_log(timezone.now()).state is State.OK
    with without_triggers() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent WHERE id = %s", [audit_log[6].pk])
    verify_audit_log()
    assert "the audit log was changed" in caplog.text
    assert local.audit_log(timezone.now()).state is State.FAIL


def test_seals_of_a_pepper_that_is_gone_are_unverified_and_not_broken(
    audit_log: list[AuditEvent], tmp_path: Path
) -> None:
    with only_pepper(tmp_path / "pepper-2.key", "the pepper after the one that sealed"):
        assert [problem.changed for problem in audit_chain.problems()] == [False, False]
        verify_audit_log()
    assert local.audit_log(timezone.now()).state is State.WARN


def test_every_column_of_an_event_is_sealed() -> None:
    assert set(audit_chain.SEALED) == {field.attname for field in AuditEvent._meta.fields}


def test_the_command_says_so(audit_log: list[AuditEvent], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_audit_log")
    assert f"whole up to event {audit_log[5].pk}" in capsys.readouterr().out
    with without_triggers() as cursor:
        cursor.execute("DELETE FROM accounts_auditevent WHERE id = %s", [audit_log[0].pk])
    with pytest.raises(SystemExit):
        call_command("verify_audit_log")
    assert "does not hold" in capsys.readouterr().out
