"""What many ask to remove at once: each account has its turn, and no rule stands before all others for ever."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from registry_sync.client import RegistryClient
from registry_sync.deletion import worker as removal_work
from registry_sync.models import Removal, RemovalItem, RetentionRule, RetentionRun
from registry_sync.retention import runs
from tests import factories, statements
from tests.parts.scripted import Scripted

pytestmark = pytest.mark.django_db
State = RetentionRun.State


@pytest.fixture
def web() -> Iterator[Scripted]:
    """It fails for all that it is asked about, so that every wish is tried once, and waits."""
    script = Scripted()
    yield script
    script.stop()


def wish(account: Account, *, run: RetentionRun | None = None) -> Removal:
    tag = factories.TagFactory(image__namespace__account=account)
    removal = Removal.objects.create(
        image=tag.image, kind=Removal.Kind.UNTAG, requested_by="somebody", run=run
    )
    RemovalItem.objects.create(removal=removal, tag=tag.name, digest=tag.manifest_id)
    return removal


def work(web: Scripted) -> list[str]:
    """Of which account each was that was tried, in order."""
    web.asked.clear()
    removal_work.work_due(RegistryClient(web.url, lambda *_scope: "token"))
    handles = {
        removal.image.repository: removal.image.namespace.account.handle
        for removal in Removal.objects.select_related("image__namespace__account")
    }
    tried = [path for path in web.asked if "/manifests/" in path]
    return [handles[path.removeprefix("/v2/").split("/manifests/")[0]] for path in tried]


@pytest.fixture
def loud() -> Account:
    account: Account = factories.AccountFactory(handle="loud")
    return account


@pytest.fixture
def quiet() -> Account:
    account: Account = factories.AccountFactory(handle="quiet")
    return account


def test_who_asks_for_one_has_the_second_turn_behind_whoever_asked_for_many(
    web: Scripted, loud: Account, quiet: Account
) -> None:
    for _each in range(5):
        wish(loud)
    wish(quiet)
    assert work(web) == ["loud", "quiet", "loud", "loud", "loud", "loud"]


def test_turns_go_on_where_the_last_pass_ended(
    web: Scripted, loud: Account, quiet: Account, settings: Any
) -> None:
    """A pass of one turn: whoever was served longest ago is next."""
    settings.DELETION_PASS_SECONDS = -1
    for _each in range(3):
        wish(loud)
    wish(quiet)
    assert [work(web), work(web), work(web)] == [["loud"], ["quiet"], ["loud"]]


def test_persons_are_first_and_a_rule_has_its_turn_however_many_they_are(
    web: Scripted, loud: Account, quiet: Account
) -> None:
    rule = RetentionRule.objects.create(namespace=factories.NamespaceFactory(account=quiet))
    wish(quiet, run=RetentionRun.objects.create(rule=rule, planned_at=timezone.now()))
    for _each in range(removal_work.BULK_EVERY + 2):
        wish(loud)
    assert work(web).index("quiet") == removal_work.BULK_EVERY - 1


def begun(account: Account, **more: object) -> RetentionRun:
    rule = RetentionRule.objects.create(namespace=factories.NamespaceFactory(account=account), keep_last=1)
    return RetentionRun.objects.create(rule=rule, requested_by="somebody", requested_by_id=1, **more)


def test_runs_are_decided_in_turns_and_those_tried_before_come_last(loud: Account, quiet: Account) -> None:
    tried = begun(loud, attempts=1)
    first, second, third = begun(loud), begun(loud), begun(quiet)
    in_turns = runs._in_turns(RetentionRun.objects.all())
    assert [run.pk for run in in_turns] == [first.pk, third.pk, second.pk, tried.pk]


def test_a_run_that_no_worker_lives_through_is_given_up_and_says_so(quiet: Account) -> None:
    run, other = begun(quiet, attempts=runs.ATTEMPTS_MAX), begun(quiet)
    runs.plan_due()
    run.refresh_from_db()
    other.refresh_from_db()
    assert (run.state, run.problem) == (
        State.FAILED,
        "It could not be decided in 5 attempts; see the panel’s log.",
    )
    assert (other.attempts, other.state) == (1, State.SKIPPED)


def test_an_attempt_is_written_down_before_it_is_begun(quiet: Account) -> None:
    """The worker dies while it decides."""
    run = begun(quiet)
    with pytest.raises(SystemExit), statements.failing('FROM "registry_sync_syncrun"', SystemExit()):
        runs.plan_due()
    run.refresh_from_db()
    assert (run.attempts, run.state) == (1, State.RUNNING)


def test_a_turn_that_is_long_ago_is_none(web: Scripted, loud: Account, quiet: Account) -> None:
    long_ago = timezone.now() - removal_work.TURN_COUNTS_FOR - timedelta(minutes=1)
    for account in (loud, quiet):
        wish(account)
    Removal.objects.filter(image__namespace__account=loud).update(last_attempt_at=long_ago)
    assert work(web) == ["loud", "quiet"]
