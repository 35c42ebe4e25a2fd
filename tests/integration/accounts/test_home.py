"""GET /"""

from django.test import Client

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
    page = cast.client("viewer").get("/").content.decode()
    assert "Blue" in page
    assert "2 users" in page
    assert cast.elsewhere.name not in page


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
