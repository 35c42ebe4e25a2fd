"""System says when the last backup was made, and after a restore what to look at."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, Denial, Member, Person
from registry_sync.doctor import local
from registry_sync.models import Backup, Restoration
from registry_sync.operations import restoration
from tests import factories
from tests.cast import Cast, client_for


def backed_up(at: datetime) -> Backup:
    return Backup.objects.create(
        at=at, by="ada@vault", file="/b.tar", version="1", row_count=1, byte_count=1, keys="none"
    )


def restored(**fields: Any) -> Restoration:
    now = timezone.now()
    facts = {"at": now, "by": "ada@vault", "backup_at": now - timedelta(days=2), "backup_version": "1"}
    return Restoration.objects.create(**facts | fields)


def page(operator: Person) -> str:
    return client_for(operator).get("/system/").content.decode()


def test_the_last_backup_is_shown_and_whether_it_is_too_old(operator: Person, settings: Any) -> None:
    assert "ada@vault" not in page(operator)
    old = backed_up(timezone.now() - timedelta(days=8))
    assert "by ada@vault" in page(operator)
    assert "overdue" in page(operator)
    assert local.backup(timezone.now()).state == "warn"
    settings.BACKUP_DAYS = 0
    assert "overdue" not in page(operator)
    settings.BACKUP_DAYS = 7
    backed_up(timezone.now())
    assert Backup.objects.first() != old
    assert "overdue" not in page(operator)
    assert local.backup(timezone.now()).state == "ok"


def test_after_a_restore_is_said_what_is_void_and_what_the_clock_ended(cast: Cast, operator: Person) -> None:
    row = restored(invitation_count=2, recovery_code_count=1, rule_count=1, removal_count=3, delivery_count=4)
    between, before = row.at - timedelta(days=1), row.at - timedelta(days=3)
    ended = factories.RegistryUserFactory(account=cast.account, description="ended", expires_at=between)
    for end in (before, None):
        factories.RegistryUserFactory(account=cast.account, description="other", expires_at=end)
    factories.RegistryUserFactory(
        account=cast.account, description="disabled", expires_at=between, disabled_at=before
    )
    user = factories.RegistryUserFactory(account=cast.account, description="ci")
    for fields in ({"expires_at": between}, {"retires_at": between}, {"expires_at": before}, {}):
        factories.add_password(user, **fields)
    factories.GrantFactory(
        user=user, namespace=factories.NamespaceFactory(account=cast.account), expires_at=between
    )
    found = restoration.ended_since(row)
    assert found.users == [ended]
    assert (found.user_count, found.password_count, found.grant_count) == (1, 2, 1)
    assert {each.user for each in found.passwords} == {user}
    text = page(operator)
    for sentence in ("Restored from a backup", "2 invitations were made void", "codes of 1 person were removed",
                     "1 retention rule was turned off",
                     "3 deletions that were waiting", "4 messages of webhooks were not sent",
                     ended.username):  # fmt: skip
        assert sentence in text


def test_what_shows_that_something_was_ended_is_listed_where_it_can_be_ended(
    cast: Cast, operator: Person
) -> None:
    row = restored()
    before, since = row.backup_at - timedelta(days=1), row.at + timedelta(minutes=1)
    quiet = factories.RegistryUserFactory(account=cast.account, last_used_at=before)
    for fields in ({"last_used_at": since}, {"last_used_at": before - timedelta(days=8)}, {}):
        factories.RegistryUserFactory(account=cast.account, **fields)
    for end in ({"disabled_at": since}, {"expires_at": before}):
        factories.RegistryUserFactory(account=cast.account, last_used_at=before, **end)
    replaced, typo, other = factories.RegistryUserFactory.create_batch(3, account=cast.account)
    for user, at, reason in ((replaced, since, "wrong password"), (typo, before, "wrong password"),
                             (other, since, "the password has ended")):  # fmt: skip
        Denial.objects.create(user=user, reason=reason, remedy="", first_at=before, last_at=at)
    token = ApiToken.objects.create(
        person=cast.owner, name="nightly", digest="a", hint="h", last_used_at=before
    )
    ApiToken.objects.create(person=cast.owner, name="daily", digest="b", hint="h", last_used_at=since)
    found = restoration.may_have_ended(row, timezone.now())
    assert ([each.user for each in found.replaced], found.replaced_count) == ([replaced], 1)
    assert (found.quiet_users, found.quiet_user_count) == ([quiet], 1)
    assert (found.quiet_tokens, found.quiet_token_count) == ([token], 1)
    text = page(operator)
    assert all(each in text for each in (replaced.username, quiet.username, "nightly"))
    assert reverse("system-account", args=[cast.account.handle]) in text
    assert quiet.get_absolute_url() not in text
    Member.objects.create(account=cast.account, person=operator, role="viewer")
    assert quiet.get_absolute_url() in page(operator)


def test_where_nothing_was_lost_or_long_ago_nothing_is_said(operator: Person) -> None:
    restored(moved=True)
    restored(at=timezone.now() - timedelta(days=31))
    assert "Restored from a backup" not in page(operator)
    restored()
    text = page(operator)
    assert "None so far." in text
    assert "Nothing." in text


@pytest.mark.parametrize("who", ["owner", "viewer"])
def test_nobody_else_reads_it(cast: Cast, who: str) -> None:
    restored()
    assert client_for(getattr(cast, who)).get("/system/").status_code == 404
    assert Client().get("/system/").status_code in (302, 404)
