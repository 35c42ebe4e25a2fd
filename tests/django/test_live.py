"""What a page asks by itself: nothing new is one statement, a change shows, and who lost access learns nothing."""

import base64
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import live_updates
from accounts.models import Account, Denial, IdTokenIssuer, Member, Person, RegistryUser, Secret
from namespaces.models import Image, TagHistoryEntry, Webhook, WebhookDelivery
from registry_sync import registry_probe
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_tag_changes
from registry_sync.models import DiagnosticRun, Marker, Purge, Removal, RetentionRule, SyncRun
from tests import factories
from tests.cast import Cast, client_for
from tests.django.attacks.test_looking import HTMX, head_and_get, told

pytestmark = pytest.mark.django_db
NOTHING = 204
WHEN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Open:
    """A page that somebody has open: the address its part asks, and what can happen to what it shows."""

    client: Client
    person: Person
    url: str
    happen: Callable[[], Any]

    def ask(self) -> HttpResponse:
        return self.client.get(self.url, headers={"HX-Request": "true"})


@pytest.fixture
def image(cast: Cast) -> Image:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    found: Image = factories.ImageFactory(namespace=namespace, name="app")
    factories.TagFactory(image=found)
    return found


@dataclass
class Case:
    """`page` holds the part; `make` puts there what it waits for and returns the page's address and what can happen."""

    who: str
    make: Callable[[Cast, Image], tuple[str, Callable[[], Any]]]


def _pushed(image: Image) -> Callable[[], Any]:
    digest = factories.ManifestFactory().digest
    return lambda: write_tag_changes(image, [TagChange("new", digest, WHEN)], how=TagHistoryEntry.How.EVENT)


def _run(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    now = timezone.now()
    SyncRun.objects.create(state="running", started_at=now, heartbeat_at=now, repositories_total=9)
    return "/freshness/", lambda: SyncRun.objects.update(repositories_done=3)


def _installation(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    return "/installation-status/", lambda: registry_probe.record(Marker.REGISTRY_SILENT, WHEN)


def _checkup(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    DiagnosticRun.objects.create(requested_by="operator")
    return "/system/doctor/", lambda: DiagnosticRun.objects.update(state="running")


def _removal(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    wish = Removal.objects.create(image=image, kind="untag", requested_by="owner")
    item = wish.items.create(tag="1.0", digest="sha256:1")
    wish.items.create(tag="2.0", digest="sha256:2")
    here = f"/a/team-red/n/team/i/app/-/removals/{wish.pk}/"
    return here, lambda: wish.items.filter(pk=item.pk).update(state="done")


def _purge(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    purge = Purge.objects.create(namespace=image.namespace, image=image, requested_by="owner")
    wish = Removal.objects.create(image=image, kind="delete", requested_by="owner", purge=purge)
    item = wish.items.create(digest="sha256:1")
    here = f"/a/team-red/n/team/deletions/{purge.pk}/"
    return here, lambda: wish.items.filter(pk=item.pk).update(state="done")


def _retention(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    rule = RetentionRule.objects.create(namespace=image.namespace, keep_last=1)
    rule.runs.create()
    return f"/a/team-red/n/team/rules/{rule.pk}/", lambda: rule.runs.update(planned_at=WHEN)


def _first_use(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    user = factories.RegistryUserFactory(account=cast.account)
    factories.add_password(user)
    here = f"/a/team-red/users/{user.username}/first-use/"
    return here, lambda: factories.use_newest_password(user, timezone.now())


def _denial(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    user = factories.RegistryUserFactory(account=cast.account)
    what = {"user": user, "repository": "team/app", "action": "push", "first_at": WHEN}
    here = f"/a/team-red/users/{user.username}/last-denial/"
    return here, lambda: Denial.objects.update_or_create(**what, defaults={"last_at": timezone.now()})


def _issuer(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    issuer = factories.IdTokenIssuerFactory(account=None, url="https://ci.example.com", asked_at=WHEN)
    row = IdTokenIssuer.objects.filter(pk=issuer.pk)
    return f"/system/issuers/{issuer.pk}/", lambda: row.update(tried_at=timezone.now())


def _webhook(cast: Cast, image: Image) -> tuple[str, Callable[[], Any]]:
    webhook = factories.WebhookFactory(account=cast.account)
    return f"/a/team-red/webhooks/{webhook.pk}/", lambda: webhook.deliveries.create(event_type="image.pushed")


CASES = {
    "image": Case("viewer", lambda _cast, image: ("/a/team-red/n/team/i/app/", _pushed(image))),
    "namespace": Case("viewer", lambda _cast, image: ("/a/team-red/n/team/", _pushed(image))),
    "account": Case("viewer", lambda _cast, image: ("/a/team-red/images/", _pushed(image))),
    "sync run": Case("viewer", _run),
    "installation": Case("viewer", _installation),
    "checkup": Case("operator", _checkup),
    "issuer": Case("operator", _issuer),
    "removal": Case("viewer", _removal),
    "purge": Case("viewer", _purge),
    "retention run": Case("viewer", _retention),
    "first use": Case("viewer", _first_use),
    "denial": Case("viewer", _denial),
    "webhook": Case("manager", _webhook),
}
OF_ACCOUNT = [kind for kind in CASES if kind not in ("sync run", "installation", "checkup", "issuer")]


@pytest.fixture
def opened(cast: Cast, operator: Person, image: Image, request: pytest.FixtureRequest) -> Open:
    return open_page(CASES[request.param], cast, operator, image)


def open_page(case: Case, cast: Cast, operator: Person, image: Image) -> Open:
    page, happen = case.make(cast, image)
    person = operator if case.who == "operator" else getattr(cast, case.who)
    client = client_for(person)
    found = requested_by(client.get(page))
    assert found, page
    return Open(client, person, found[0], happen)


def requested_by(answer: HttpResponse) -> list[str]:
    """The parts of a page that ask; how the installation stands asks by itself where there is no other."""
    parts = re.findall(
        r'data-(?:live|standing)\s+hx-get="([^"]+)"\s+hx-trigger="ask[",]', answer.content.decode()
    )
    return [html.unescape(url) for url in parts if "/installation-status/" not in url] or list(
        map(html.unescape, parts)
    )


every_kind = pytest.mark.parametrize("opened", CASES, indirect=True)
of_account = pytest.mark.parametrize("opened", OF_ACCOUNT, indirect=True)


def test_every_kind_is_among_the_cases() -> None:
    assert set(live_updates.THINGS) == set(CASES)


@every_kind
def test_nothing_new_costs_one_statement(opened: Open, django_assert_num_queries: Any) -> None:
    for _often in range(3):
        with django_assert_num_queries(1):
            answer = opened.ask()
        assert (answer.status_code, answer.content, answer["Cache-Control"]) == (NOTHING, b"", "no-store")
        assert not answer.cookies


@every_kind
def test_head_is_answered_as_get_is(opened: Open) -> None:
    for expected in (NOTHING, 200):
        head, get = head_and_get(opened.client, opened.url, **HTMX)
        assert (head.status_code, get.status_code) == (expected, expected)
        assert told(head) == told(get)
        assert not head.content
        assert ("Content-Length" in head.headers) is (expected == 200)
        opened.happen()


@every_kind
def test_how_the_installation_stands_is_told_to_every_part(opened: Open) -> None:
    registry_probe.record(Marker.REGISTRY_SILENT, WHEN)
    answer = opened.ask()
    assert answer.status_code == 200
    assert answer["HX-Trigger"] == ("freshness" if "/installation-status/" in opened.url else "standing")
    assert opened.client.get(requested_by(answer)[0]).status_code == NOTHING


@every_kind
def test_what_happens_is_shown_and_then_it_is_quiet_again(opened: Open) -> None:
    opened.happen()
    answer = opened.ask()
    assert answer.status_code == 200
    for url in requested_by(answer)[:1]:
        assert opened.client.get(url).status_code == NOTHING


@of_account
def test_who_is_no_longer_a_member_learns_nothing(opened: Open) -> None:
    Member.objects.filter(person=opened.person).delete()
    for _then in range(2):
        assert opened.ask().status_code == 404
        opened.happen()


@of_account
def test_a_closed_account_tells_nothing(opened: Open) -> None:
    Account.objects.filter(handle="team-red").update(closed_at=timezone.now())
    assert opened.ask().status_code == 404


@pytest.mark.parametrize("opened", ["checkup", "issuer"], indirect=True)
def test_who_is_no_longer_an_operator_learns_nothing(opened: Open) -> None:
    Person.objects.filter(pk=opened.person.pk).update(is_staff=False)
    assert opened.ask().status_code == 404


def _switched_off(opened: Open) -> None:
    Person.objects.filter(pk=opened.person.pk).update(is_active=False)


def _new_password_elsewhere(opened: Open) -> None:
    opened.person.set_password("another tall ladder")
    opened.person.save()


def _ended(_opened: Open) -> None:
    Session.objects.all().delete()


def _expired(_opened: Open) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


@every_kind
@pytest.mark.parametrize("end", [_switched_off, _new_password_elsewhere, _ended, _expired])
def test_who_is_signed_out_learns_nothing(opened: Open, end: Callable[[Open], None]) -> None:
    end(opened)
    answer = opened.ask()
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/me/login/")


@every_kind
def test_a_note_is_good_in_its_own_session_alone(opened: Open) -> None:
    for other in (client_for(opened.person), Client()):
        assert other.get(opened.url).status_code != NOTHING


@every_kind
def test_an_old_or_changed_note_goes_the_ordinary_way(opened: Open, settings: Any) -> None:
    path, _question, note = opened.url.partition("live=")
    changed = f"{path}live={note[:40]}{'A' if note[40] != 'A' else 'B'}{note[41:]}"
    assert opened.client.get(changed).status_code == 200
    settings.LIVE_NOTE_LIFE = -1
    assert opened.ask().status_code == 200


@every_kind
def test_a_note_hides_what_it_holds(opened: Open) -> None:
    """The counters are those of the whole installation: what others do must not be read from them."""
    sealed = base64.urlsafe_b64decode(opened.url.partition("live=")[2])
    assert b"state" not in sealed
    assert len(sealed) % live_updates.BLOCK == 73  # Fernet's own bytes beside whole blocks


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no plan that depends on how much there is"
)
def test_the_statement_reads_no_table_as_a_whole(cast: Cast, operator: Person, image: Image) -> None:
    crowd(cast, image)
    for case in CASES.values():
        opened = open_page(case, cast, operator, image)
        with CaptureQueriesContext(connection) as asked:
            assert opened.ask().status_code == NOTHING
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {asked.captured_queries[0]['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        whole = set(re.findall(r"Seq Scan on (\S+)", plan))
        # A dozen rows, ever; and what is looked at only while the worker is silent.
        short = {"registry_sync_marker", "registry_sync_shard", "registry_sync_lease"}
        assert whole <= short, plan


def crowd(cast: Cast, image: Image, many: int = 2000) -> None:
    """Enough rows, of others and in this account, that reading a table from end to end is never the cheapest."""
    now = timezone.now()
    Session.objects.bulk_create(
        Session(session_key=f"other{each:027}", session_data="", expire_date=now + timedelta(days=1))
        for each in range(many)
    )
    persons = Person.objects.bulk_create(Person(email=f"p{each}@example.com") for each in range(many))
    Authenticator.objects.bulk_create(
        Authenticator(user=person, type=Authenticator.Type.TOTP, data={}) for person in persons
    )
    IdTokenIssuer.objects.bulk_create(
        IdTokenIssuer(url=f"https://ci{each}.example.com") for each in range(many)
    )
    accounts = Account.objects.bulk_create(
        Account(name=f"a{each}", handle=f"a{each}") for each in range(many)
    )
    Member.objects.bulk_create(
        Member(account=account, person=person, role="owner")
        for account, person in zip(accounts, persons, strict=True)
    )
    users = [
        RegistryUser(account=account, username=f"u{account.pk}", description="x") for account in accounts
    ]
    RegistryUser.objects.bulk_create(users)
    Secret.objects.bulk_create(Secret(user=user, digest=user.username, pepper_version=1) for user in users)
    spaces = [factories.NamespaceFactory.build(account=account) for account in accounts]
    for each, space in enumerate(spaces):
        space.name = f"space{each}"
    type(image.namespace).objects.bulk_create(spaces)
    images = [Image(namespace=space, name=f"app{each % 50}") for each, space in enumerate(spaces)]
    images += [
        Image(namespace=image.namespace, name=f"app{each}", newest_history_id=-each) for each in range(many)
    ]
    Image.objects.bulk_create(images)
    SyncRun.objects.bulk_create(SyncRun(state="done") for _each in range(many))
    DiagnosticRun.objects.bulk_create(DiagnosticRun(state="done", requested_by="x") for _each in range(many))
    rules = RetentionRule.objects.bulk_create(RetentionRule(namespace=space) for space in spaces)
    rules[0].runs.model.objects.bulk_create(rules[0].runs.model(rule=rule) for rule in rules)
    wishes = Removal.objects.bulk_create(
        Removal(image=each, kind="untag", requested_by="x") for each in images[:many]
    )
    Purge.objects.bulk_create(Purge(namespace=space, requested_by="x") for space in spaces)
    items = wishes[0].items.model
    items.objects.bulk_create(items(removal=wish, tag="1", digest="x") for wish in wishes)
    Denial.objects.bulk_create(
        Denial(user=user, reason=f"r{each}", first_at=now, last_at=now) for each, user in enumerate(users)
    )
    hooks = Webhook.objects.bulk_create(
        Webhook(account=account, url="https://example.com", format="cloudevents", secrets="x")
        for account in accounts
    )
    WebhookDelivery.objects.bulk_create(WebhookDelivery(webhook=hook, event_type="x") for hook in hooks)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
