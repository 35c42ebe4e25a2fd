"""What a client calls itself is short wherever it is shown, what was stored before as well."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.access_denials import denials
from accounts.last_used import uses
from accounts.models import Person
from namespaces.access import Level
from namespaces.models import PullStats
from registry_sync.models import Event
from tests import factories
from tests.cast import Cast, client_for
from tests.django.api.caller import Caller, token_of
from tests.django.registry_sync.tokens.test_issuer import ask

pytestmark = pytest.mark.django_db
LONG = "docker/27.5.1 go/go1.22.11 kernel/6.8.0-51-generic os/linux arch/amd64 UpstreamClient(Docker-Client/27.5.1)"
# As earlier releases kept them.
OLD = {
    "accounts_denial": ("client", "regclient/regctl"),
    "accounts_registryuser": ("last_used_with", "containerd/1.6.20~ds1"),
    "namespaces_pullstats": ("client", LONG),
}


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    uses.forget()
    denials.forget()


@pytest.fixture
def user(cast: Cast) -> Any:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(account=cast.account, description="CI")
    factories.GrantFactory(user=user, namespace=namespace, level=Level.READ)
    image = factories.ImageFactory(namespace=namespace, name="app")
    factories.TagFactory(image=image, name="1.0")
    PullStats.objects.create(image=image, tag="1.0", username=user.username, count=1, last_at=timezone.now())
    return user


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (LONG, "docker/27.5.1"),
        ("regclient/regctl (v0.11.7)", "regctl/0.11.7"),
        ("jib 3.5.1 jib-maven-plugin Google-HTTP-Java-Client/1.42.2 (gzip)", "jib/3.5.1"),
    ],
)
def test_the_token_door_keeps_the_short_form(user: Any, agent: str, expected: str) -> None:
    ask(user, "repository:team/app:push", HTTP_USER_AGENT=agent)
    assert uses.write() == denials.write() == 1
    with connection.cursor() as cursor:  # as it is stored, and not as it is read
        cursor.execute("SELECT client, last_used_with FROM accounts_denial, accounts_registryuser")
        assert cursor.fetchall() == [(expected, expected)]


def test_what_was_stored_long_is_shown_short_on_pages_and_in_the_api(cast: Cast, user: Any) -> None:
    ask(user, "repository:team/app:push")
    assert uses.write() == denials.write() == 1
    with connection.cursor() as cursor:
        for table, (column, old) in OLD.items():
            cursor.execute(f"UPDATE {table} SET {column} = %s", [old])  # noqa: S608
    pages, api = cast.client("viewer"), Caller(token_of(cast.viewer))
    at, called = user.get_absolute_url(), f"accounts/team-red/users/{user.username}/"
    shown = [
        pages.get(path).content.decode()
        for path in (
            at,
            "/a/team-red/n/team/i/app/-/access/",
            "/a/team-red/n/team/i/app/-/tags/1.0/?tab=pulls",
        )
    ]
    told = [
        api.get(path).content.decode()
        for path in (called, called + "denials/", "accounts/team-red/namespaces/team/images/app/-/tags/1.0/")
    ]
    for text in shown + told:
        assert not {word for word in ("kernel", "generic", "Upstream", "ds1", "regclient") if word in text}
    for number, name in ((0, "containerd/1.6.20"), (0, "regctl"), (1, "regctl"), (2, "docker/27.5.1")):
        assert name in shown[number]
    for text, name in zip(told, ("containerd/1.6.20", '"regctl"', "docker/27.5.1"), strict=True):
        assert name in text


def test_an_event_as_it_came_tells_nothing_of_the_machine(operator: Person) -> None:
    raw = '{"action": "push", "request": {"method": "PUT", "useragent": "%s"}, "actor": {"name": "ci"}}'
    Event.objects.create(event_id="a", raw=raw % LONG.replace("UpstreamClient", '\\"Client'))
    Event.objects.create(event_id="b", raw=(raw % LONG)[:100])  # cut in the middle of it
    page = client_for(operator).get("/system/events/").content.decode()
    assert page.count("docker/27.5.1") == 2
    assert "&quot;ci&quot;" in page
    assert "kernel" not in page


def test_a_persons_sessions_are_told_apart_by_browser_and_system(cast: Cast) -> None:
    person = factories.PersonFactory(email="known@example.com")
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    browser = Client(HTTP_USER_AGENT=agent)
    browser.post("/me/login/", {"login": person.email, "password": factories.PASSWORD})
    page = browser.get("/me/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "x86_64" not in page
