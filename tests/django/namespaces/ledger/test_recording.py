"""The access ledger: what was granted is kept by day, and what an event confirms is told apart."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import TextField, Value
from django.db.models.functions import Concat

from accounts.common.client_ip import Origin
from accounts.models import DropCounter, RegistryUser
from namespaces.access import Level
from namespaces.ledger import confirmation, forgetting, granted, writer
from namespaces.ledger.confirmation import ConfirmedUse
from namespaces.models import LedgerEntry, LedgerTotal, Namespace
from namespaces.models.ledger import NETWORKS_MAX
from registry_sync import leases, tasks
from registry_sync.events import outcomes, pull_counts
from registry_sync.models import Event, Repository
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.tokens.test_issuer import ask
from tests.statements import asked_of_the_driver, failing

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    granted.granted.forget()
    writer._rooms.forget()


@pytest.fixture
def user(cast: Cast) -> Any:
    """May write to team/app, and read the rest of team."""
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    factories.GrantFactory(user=user, namespace=namespace, level=Level.READ)
    factories.GrantFactory(user=user, namespace=namespace, level=Level.WRITE, image_name="app")
    return user


def note(
    user: RegistryUser, access: str, at: datetime = NOON, address: str = "10.0.0.5", secret: int = 0
) -> None:
    pairs = (each.split(":") for each in access.split())
    granted.note(
        [{"name": name, "actions": actions.split(",")} for name, actions in pairs],
        Origin(address, "docker/27.5", at),
        account=user.account_id,
        username=user.username,
        secret=secret or user.secrets.get().pk,
    )


def rows(**of: Any) -> list[tuple[str, str, int, int]]:
    found = LedgerEntry.objects.filter(**of).order_by("image_name", "action", "day", "secret")
    return list(found.values_list("image_name", "action", "count", "confirmed_count"))


def used(user: RegistryUser | None, action: str, at: datetime = NOON, image: str = "app", **more: Any) -> Any:
    given = {"address": "10.0.0.5", "client": "docker/27.5", "count": 1} | more
    return ConfirmedUse(user.username if user else "", f"team/{image}", action, at=at, **given)


def test_what_is_granted_is_kept_and_what_is_denied_is_not(user: Any) -> None:
    ask(user, "repository:team/app:push,pull,delete", "repository:team/other:pull,push")
    ask(user, "repository:team/app:push,pull,delete", "repository:team/other:pull,push")
    ask(user, "repository:theirs/app:pull")
    assert granted.granted.write() == 1
    assert rows() == [("app", "pull", 2, 0), ("app", "push", 2, 0), ("other", "pull", 2, 0)]
    entry = LedgerEntry.objects.first()
    assert entry
    assert (entry.user, entry.secret, entry.account) == (user, user.secrets.get().pk, user.account)
    assert (entry.networks, entry.address, entry.client) == ("192.0.2.0/24", "192.0.2.1", "docker/27.3.1")


def test_nothing_is_written_while_a_token_is_made(user: Any) -> None:
    with asked_of_the_driver() as statements:
        ask(user, "repository:team/app:push")
    assert [text.split()[0] for text in statements] == ["SELECT"]
    assert not LedgerEntry.objects.exists()


def test_a_day_is_counted_together_and_the_next_by_itself(user: Any) -> None:
    for hours, address in ((0, "10.0.0.5"), (1, "10.0.1.7"), (2, "2001:db8::7"), (12, "10.0.0.9")):
        note(user, "team/app:pull", NOON + timedelta(hours=hours), address)
        granted.granted.write()
    first, second = LedgerEntry.objects.order_by("day")
    assert (first.day, second.day) == (date(2026, 3, 1), date(2026, 3, 2))
    assert (first.count, first.first_at, first.last_at) == (3, NOON, NOON + timedelta(hours=2))
    assert first.network_list == ["10.0.0.0/24", "10.0.1.0/24", "2001:db8::/64"]
    assert first.address == "2001:db8::7"
    assert (second.count, second.networks) == (1, "10.0.0.0/24")


def test_what_comes_late_changes_no_newer_address(user: Any) -> None:
    for minutes, address in ((5, "10.0.0.5"), (0, "10.0.9.9")):
        note(user, "team/app:pull", NOON + timedelta(minutes=minutes), address)
        granted.granted.write()
    entry = LedgerEntry.objects.get()
    assert (entry.address, entry.first_at, entry.last_at) == ("10.0.0.5", NOON, NOON + timedelta(minutes=5))


def test_twenty_networks_are_kept(user: Any) -> None:
    for number in range(30):
        note(user, "team/app:pull", address=f"10.0.{number}.1")
        if number % 7 == 0:
            granted.granted.write()
    granted.granted.write()
    entry = LedgerEntry.objects.get()
    assert (entry.count, len(entry.network_list), len(set(entry.network_list))) == (30, 20, 20)


def test_two_passwords_are_told_apart_and_outlived(user: Any) -> None:
    factories.add_password(user)
    old, new = user.secrets.order_by("pk")
    for secret in (old, new):
        note(user, "team/app:pull", secret=secret.pk)
    granted.granted.write()
    ids = [old.pk, new.pk]
    old.delete()
    assert list(LedgerEntry.objects.order_by("secret").values_list("secret", flat=True)) == ids
    user.delete()
    assert not LedgerEntry.objects.exists()
    assert not LedgerTotal.objects.exists()


def test_anonymous_callers_share_an_entry_of_an_image_that_exists(cast: Cast) -> None:
    factories.ImageFactory(
        namespace__account=cast.account, namespace__name="team", namespace__public=True, name="app"
    )
    for address in ("10.0.0.5", "10.0.7.5"):
        access = [{"name": f"team/{name}", "actions": ["pull"]} for name in ("app", "made-up")]
        granted.note(access, Origin(address, "", NOON), account=None, username="", secret=0)  # type: ignore[arg-type]
        granted.granted.write()
    entry = LedgerEntry.objects.get()
    assert (entry.user, entry.account, entry.image_name, entry.count) == (None, cast.account, "app", 2)
    assert entry.network_list == ["10.0.0.0/24", "10.0.7.0/24"]


def test_users_and_namespaces_that_are_gone_are_left_out(user: Any) -> None:
    note(user, "team/app:pull gone/app:pull")
    note(RegistryUser(username="nobody", account=user.account), "team/app:pull", secret=7)
    granted.granted.write()
    assert rows() == [("app", "pull", 1, 0)]
    Namespace.objects.all().delete()
    assert not LedgerEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_written_is_kept_for_the_next_time(user: Any) -> None:
    note(user, "team/app:pull")
    with failing("namespaces_ledgerentry", OperationalError("locked")):
        assert granted.granted.write() == 0
    note(user, "team/app:pull", NOON + timedelta(seconds=1))
    assert granted.granted.write() == 1
    assert rows() == [("app", "pull", 2, 0)]


def test_a_user_has_only_so_many_entries_a_day_and_keeps_counting_those(user: Any, settings: Any) -> None:
    settings.LEDGER_USER_MOST = 3
    other = factories.RegistryUserFactory(account=user.account)
    for _time in range(2):
        note(user, " ".join(f"team/i{number}:pull" for number in range(5)))
        note(user, "team/i0:pull team/i1:pull")
        note(other, "team/app:pull")
        granted.granted.write()
    assert len(rows(user=user)) <= 3
    assert LedgerTotal.objects.filter(user=user).count() == len(rows(user=user))
    assert rows(user=other) == [("app", "pull", 2, 0)]
    dropped = DropCounter.objects.get(kind=DropCounter.Kind.LEDGER)
    assert dropped.username == user.username
    note(user, "team/app:pull", NOON + timedelta(days=1))
    granted.granted.write()
    assert rows(user=user, day=date(2026, 3, 2)) == [("app", "pull", 1, 0)]


def test_what_there_is_room_for_is_kept_of_a_request_for_more(user: Any, settings: Any) -> None:
    """As regsync asks for every repository of its configuration at once."""
    settings.LEDGER_USER_MOST = 3
    for _time in range(2):
        note(user, " ".join(f"team/i{number}:pull" for number in range(5)))
        granted.granted.write()
    assert rows(user=user) == [("i0", "pull", 2, 0), ("i1", "pull", 2, 0), ("i2", "pull", 2, 0)]
    assert DropCounter.objects.get(kind=DropCounter.Kind.LEDGER).count == 4


def test_a_process_that_begins_counts_what_is_there(user: Any, settings: Any) -> None:
    settings.LEDGER_USER_MOST = 3
    for number in range(6):
        writer._rooms.forget()
        note(user, f"team/i{number}:pull")
        granted.granted.write()
    assert len(rows(user=user)) == 3


def test_an_account_has_only_so_many_entries_a_day(user: Any, settings: Any) -> None:
    settings.LEDGER_ACCOUNT_MOST = 4
    for _number in range(4):
        note(factories.RegistryUserFactory(account=user.account), "team/app:pull team/b:pull")
        granted.granted.write()
    assert LedgerEntry.objects.count() == 4
    theirs = factories.RegistryUserFactory()
    note(theirs, "team/app:pull")
    granted.granted.write()
    assert rows(user=theirs) == [("app", "pull", 1, 0)]
    assert DropCounter.objects.filter(kind=DropCounter.Kind.LEDGER).count() == 2


def totals() -> list[tuple[str, int, int, int]]:
    """Return image, count, confirmed count, and how many days before NOON it began."""
    found = LedgerTotal.objects.order_by("image_name", "confirmed_count")
    return [(row.image_name, row.count, row.confirmed_count, (NOON - row.first_at).days) for row in found]


def test_a_total_is_of_the_days_that_are_kept(user: Any, settings: Any) -> None:
    settings.ACCESS_LEDGER_DAYS = 60
    factories.ImageFactory(namespace=Namespace.objects.get(), name="app")
    for days in (3, 60, 61, 90):
        at = NOON - timedelta(days=days)
        note(user, "team/app:pull team/other:pull" if days > 60 else "team/app:pull", at)
        granted.granted.write()
        confirmation.confirm([used(user, "pull", at), used(None, "pull", at, count=2)])
    assert totals() == [("app", 4, 4, 90), ("app", 0, 8, 90), ("other", 2, 0, 90)]
    forgetting.forget_old(NOON)
    assert totals() == [("app", 2, 2, 60), ("app", 0, 4, 60)]
    assert LedgerEntry.objects.count() == 4


def test_what_was_noted_around_midnight_belongs_to_the_later_day(user: Any, settings: Any) -> None:
    settings.ACCESS_LEDGER_DAYS = 60
    midnight = NOON.replace(hour=0)
    for second in (-1, 1):
        note(user, "team/app:pull", midnight + timedelta(seconds=second))
    granted.granted.write()
    forgetting.forget_old(NOON + timedelta(days=60))
    entry, total = LedgerEntry.objects.get(), LedgerTotal.objects.get()
    assert (entry.day, entry.count, total.count) == (midnight.date(), 2, 2)
    assert total.first_at == midnight - timedelta(seconds=1)


def test_networks_of_forgotten_days_make_room_for_new_ones(user: Any, settings: Any) -> None:
    settings.ACCESS_LEDGER_DAYS = 60
    note(user, "team/app:pull", NOON - timedelta(days=61), "10.0.0.5")
    granted.granted.write()
    for number in range(1, NETWORKS_MAX):
        note(user, "team/app:pull", NOON - timedelta(days=60), f"10.0.{number}.5")
    granted.granted.write()
    for days, address in ((1, ""), (0, "192.0.2.5")):
        note(user, "team/app:pull", NOON - timedelta(days=days), address)
        granted.granted.write()
    assert "192.0.2.0/24" not in LedgerTotal.objects.get().network_list
    forgetting.forget_old(NOON)
    networks = LedgerTotal.objects.get().network_list
    assert networks == [*sorted(f"10.0.{number}.0/24" for number in range(1, NETWORKS_MAX)), "192.0.2.0/24"]
    forgetting.forget_old(NOON + timedelta(days=1))
    assert LedgerTotal.objects.get().network_list == ["192.0.2.0/24"]


def test_networks_of_anonymous_callers_are_forgotten_too(user: Any, settings: Any) -> None:
    settings.ACCESS_LEDGER_DAYS = 60
    factories.ImageFactory(namespace=Namespace.objects.get(), name="app")
    for day, address in ((61, "10.0.0.5"), (1, "10.0.1.5")):
        access = [{"name": "team/app", "actions": ["pull"]}]
        origin = Origin(address, "docker/27.3.1", NOON - timedelta(days=day))
        granted.note(access, origin, account=None, username="", secret=0)  # type: ignore[arg-type]
        granted.granted.write()
    forgetting.forget_old(NOON)
    assert LedgerTotal.objects.get().networks == "10.0.1.0/24"


def test_housekeeping_forgets(user: Any) -> None:
    note(user, "team/app:pull", NOON - timedelta(days=900))
    granted.granted.write()
    tasks.housekeeping()
    assert not LedgerEntry.objects.exists()


def test_a_confirmed_use_belongs_to_the_password_that_asked_for_it(user: Any) -> None:
    factories.add_password(user)
    old, new = user.secrets.order_by("pk")
    note(user, "team/app:pull,push", NOON - timedelta(minutes=2), "10.0.0.5", old.pk)
    note(user, "team/app:pull", NOON - timedelta(minutes=1), "10.0.9.5", new.pk)
    granted.granted.write()
    confirmation.confirm(
        [used(user, "pull", count=3), used(user, "push"), used(user, "pull", address="10.0.9.7")]
    )
    confirmation.confirm([used(user, "pull", address="192.0.2.9")])  # through a proxy: the last one who asked
    found = LedgerEntry.objects.order_by("secret", "action").values_list(
        "secret", "action", "confirmed_count"
    )
    assert list(found) == [(old.pk, "pull", 3), (old.pk, "push", 1), (new.pk, "pull", 2)]


def test_a_confirmed_use_needs_no_entry_before_it(user: Any) -> None:
    confirmation.confirm([used(user, "push")])
    entry = LedgerEntry.objects.get()
    assert (entry.secret, entry.count, entry.confirmed_at) == (user.secrets.get().pk, 0, NOON)
    factories.add_password(user)
    confirmation.confirm([used(user, "pull"), used(None, "pull"), used(None, "pull", image="made-up")])
    assert LedgerEntry.objects.get(action="pull", user=user).secret == 0
    assert not LedgerEntry.objects.filter(user=None).exists()  # no such image


def test_of_a_user_with_trust_policies_the_only_password_is_not_taken_for_granted(user: Any) -> None:
    factories.TrustPolicyFactory(user=user)
    confirmation.confirm([used(user, "push")])
    assert LedgerEntry.objects.get().secret == 0


def test_what_a_client_calls_itself_is_kept_in_short(user: Any) -> None:
    """As docker says it in an event: longer than the column, and more than anybody needs to know of a machine."""
    agent = r"docker/27.3.1 go/go1.22.7 kernel/6.8.0-45-generic os/linux UpstreamClient(Docker-Client/27.3.1)"
    confirmation.confirm([used(user, "pull", client=agent, address="registry-behind-a-proxy." * 2)])
    for model in (LedgerEntry, LedgerTotal):
        (kept,) = model.objects.annotate(
            as_stored=Concat("client", Value(""), output_field=TextField())
        ).values_list("as_stored", "address")
        assert kept == ("docker/27.3.1", ("registry-behind-a-proxy." * 2)[:45])


def test_events_confirm_once_what_was_done(user: Any, cast: Cast) -> None:
    image = factories.ImageFactory(namespace=Namespace.objects.get(), name="app")
    Repository.objects.create(name="team/app", image=image)
    kind = "application/vnd.oci.image.manifest.v1+json"
    said = {"repository": "team/app", "tag": "1", "digest": factories.digest_of("x"), "actor": user.username}
    push = Event.objects.create(event_id="1", action="push", at=NOON, media_type=kind, **said)
    pull = Event.objects.create(event_id="2", action="pull", at=NOON, media_type=kind, **said)
    blob = Event.objects.create(
        event_id="3", action="push", at=NOON, media_type="application/octet-stream", **said
    )
    with leases.hold("events") as lease:
        assert lease
        outcomes.applied([push], lease)
        push.refresh_from_db()
        outcomes.done([push, blob], lease)
    pull_counts.count([pull])
    assert rows() == [("app", "pull", 0, 1), ("app", "push", 0, 1)]
