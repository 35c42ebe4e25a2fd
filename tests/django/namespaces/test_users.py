"""GET /a/<handle>/users/"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import factories
from tests.cast import MEMBERS, Cast

URL = "/a/team-red/users/"


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_the_list(cast: Cast, who: str) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    page = cast.client(who).get(URL).content.decode()
    assert "CI deploy" in page
    assert user.username in page
    assert user.password not in page


def test_a_stranger_finds_nothing(cast: Cast) -> None:
    assert cast.client("stranger").get(URL).status_code == 404


def test_anonymous_must_sign_in(cast: Cast) -> None:
    assert cast.client("anonymous").get(URL).status_code == 302


def test_users_of_others_are_not_listed(cast: Cast) -> None:
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    assert other.username not in cast.client("owner").get(URL).content.decode()


@pytest.mark.parametrize(("who", "may"), [("owner", True), ("manager", True), ("viewer", False)])
def test_only_those_who_may_are_offered_the_button(cast: Cast, who: str, may: bool) -> None:
    page = cast.client(who).get(URL).content.decode()
    assert ("/users/new/" in page) is may
    assert ("Viewers can’t" in page) is not may


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({}, "not used yet"),
        ({"last_used_at": timedelta(minutes=-1)}, "active"),
        ({"expires_at": timedelta(days=13)}, "expires soon"),
        ({"expires_at": timedelta(days=-1)}, "expired"),
        ({"disabled_at": timedelta(0)}, "disabled"),
    ],
)
def test_the_state_is_a_word(cast: Cast, facts: dict[str, timedelta], word: str) -> None:
    now = timezone.now()
    factories.RegistryUserFactory(
        account=cast.account, **{name: now + shift for name, shift in facts.items()}
    )
    (row,) = cast.client("viewer").get(URL).context["rows"]
    assert row["state"].text == word


@pytest.mark.parametrize(("days", "speaks"), [(13, True), (60, False)])
def test_a_background_tab_says_that_something_expires(cast: Cast, days: int, speaks: bool) -> None:
    factories.RegistryUserFactory(account=cast.account, expires_at=timezone.now() + timedelta(days=days))
    assert ("data-title-note" in cast.client("viewer").get(URL).content.decode()) is speaks


def test_search_finds_descriptions_and_usernames(cast: Cast) -> None:
    wanted = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    factories.RegistryUserFactory(account=cast.account, description="Laptop")
    client = cast.client("viewer")
    for query in ("ci dep", wanted.username[2:9]):
        assert [row["user"] for row in client.get(URL, {"q": query}).context["rows"]] == [wanted]


def test_each_says_what_it_may_do(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    factories.GrantFactory(user=user, namespace=namespace, level=2)
    for name in ("api", "web", "mail"):
        factories.GrantFactory(user=user, namespace=namespace, image_name=name, level=1)
    (row,) = cast.client("viewer").get(URL).context["rows"]
    assert row["may"] == "write on team, read on 3 images"


def test_what_another_user_may_do_is_not_its_own(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account)
    factories.GrantFactory(user=factories.RegistryUserFactory(account=cast.account), namespace=namespace)
    factories.RegistryUserFactory(account=cast.account)
    assert sorted(bool(row["may"]) for row in cast.client("viewer").get(URL).context["rows"]) == [False, True]


def test_typing_into_the_filter_fetches_the_list_alone(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    headers = {"HX-Request": "true", "HX-Target": "users"}
    page = cast.client("viewer").get(URL, {"q": "ci"}, headers=headers).content.decode()
    assert user.username in page
    assert "<html" not in page


def test_a_search_without_result_says_so(cast: Cast) -> None:
    assert "Nothing matches “foo”" in cast.client("viewer").get(URL, {"q": "foo"}).content.decode()


def test_pages_of_a_long_list_neither_miss_nor_repeat(cast: Cast) -> None:
    factories.RegistryUserFactory.create_batch(120, account=cast.account)
    client, seen, url = cast.client("viewer"), [], URL
    while url:
        page = client.get(url).context["page"]
        seen += [user.pk for user in page.rows]
        url = page.next_url and URL + page.next_url
    assert len(seen) == len(set(seen)) == 120


def test_a_long_list_costs_no_more_queries(cast: Cast) -> None:
    client = cast.client("viewer")
    client.get(URL)  # the first request of a session writes it
    factories.RegistryUserFactory(account=cast.account)
    with CaptureQueriesContext(connection) as one:
        client.get(URL)
    factories.RegistryUserFactory.create_batch(49, account=cast.account)
    with CaptureQueriesContext(connection) as fifty:
        client.get(URL)
    assert len(fifty) == len(one)


def test_a_broken_page_address_is_said(cast: Cast) -> None:
    assert cast.client("viewer").get(URL, {"page": "nonsense"}).status_code == 400


def test_it_rejects_post(cast: Cast) -> None:
    assert cast.client("owner").post(URL).status_code == 405
