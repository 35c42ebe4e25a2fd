"""GET /"""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from namespaces.account_stats import AccountStats
from namespaces.models import Usage
from tests import factories
from tests.cast import Cast, client_for


def test_one_account_opens_at_once(cast: Cast) -> None:
    answer = cast.client("viewer").get("/")
    assert answer.status_code == 302
    assert answer.url == "/a/team-red/images/"


def test_all_accounts_on_demand(cast: Cast) -> None:
    assert b"Team Red" in cast.client("viewer").get("/?all=1").content


def test_several_accounts_are_shown_with_role_and_users_and_no_others(cast: Cast) -> None:
    other = factories.MemberFactory(person=cast.viewer, account__name="Blue", role="owner").account
    factories.RegistryUserFactory.create_batch(2, account=other)
    page = " ".join(cast.client("viewer").get("/").content.decode().split())
    assert "Blue" in page
    assert "<strong>2</strong> users" in page
    assert cast.elsewhere.name not in page


def test_a_card_says_what_the_account_holds(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account)
    pushed = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    for n in range(3):
        factories.ImageFactory(namespace=namespace, tag_count=1, pushed_at=pushed + timedelta(days=n))
    factories.ImageFactory(namespace=namespace, tag_count=0)
    Usage.objects.create(account_id=cast.account.pk, day=pushed.date(), stored_bytes=7)
    Usage.objects.create(
        account_id=cast.account.pk, day=pushed.date() + timedelta(days=1), stored_bytes=4_100_000_000
    )
    factories.ImageFactory(namespace=factories.NamespaceFactory(account=cast.elsewhere), tag_count=1)
    ((_account, held, entered),) = cast.client("viewer").get("/?all=1").context["cards"]
    assert entered
    assert held == AccountStats(
        namespaces=1, images=3, stored_bytes=4_100_000_000, pushed_at=pushed + timedelta(days=2)
    )


def test_more_accounts_cost_no_more_queries(cast: Cast) -> None:
    client = cast.client("viewer")
    client.get("/?all=1")
    with CaptureQueriesContext(connection) as one:
        client.get("/?all=1")
    for _ in range(3):
        account = factories.MemberFactory(person=cast.viewer).account
        factories.ImageFactory(namespace=factories.NamespaceFactory(account=account), tag_count=1)
    with CaptureQueriesContext(connection) as four:
        client.get("/?all=1")
    assert len(four) == len(one)


def test_a_newcomer_is_asked_to_create_one(db: None) -> None:
    page = client_for(factories.PersonFactory()).get("/").content.decode()
    assert 'href="/accounts/new/"' in page


def test_closed_accounts_are_gone(cast: Cast) -> None:
    from django.utils import timezone

    cast.account.closed_at = timezone.now()
    cast.account.save()
    assert b"Team Red" not in cast.client("owner").get("/").content


def test_anonymous_must_sign_in(db: None) -> None:
    assert Client().get("/").url == "/me/login/?next=/"


def test_it_rejects_post(cast: Cast) -> None:
    assert cast.client("owner").post("/").status_code == 405


@pytest.mark.parametrize(("who", "switcher"), [("stranger", True), ("anonymous", False)])
def test_what_is_not_there_points_at_what_is_on_the_page(cast: Cast, who: str, switcher: bool) -> None:
    answer = cast.client(who).get("/nothing-of-the-kind/")
    text = answer.content.decode()
    assert answer.status_code == 404
    assert ("select another account above" in text) is switcher
    assert ("All accounts" in text) is switcher
