"""A page offers what the role allows, and says why it does not offer the rest."""

import pytest

from tests import factories
from tests.cast import Cast

PAGES = {
    "images/": "/namespaces/new/",
    "n/team/": 'class="btn btn-primary"',
    "n/team/permissions/": "/remove/",
    "n/team/settings/": "/delete/",
    "n/team/i/api/-/access/": "/remove/",
}


@pytest.mark.parametrize(("page", "offer"), PAGES.items())
@pytest.mark.parametrize(("who", "offered"), [("owner", True), ("manager", True), ("viewer", False)])
def test_what_a_role_may_not_do_is_not_offered(
    cast: Cast, page: str, offer: str, who: str, offered: bool
) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    factories.GrantFactory(user__account=cast.account, namespace=namespace, image_name="api")
    text = cast.client(who).get(f"/a/team-red/{page}").content.decode()
    assert (offer in text) is offered


@pytest.mark.parametrize("page", ["n/team/permissions/", "n/team/settings/", "n/team/i/api/-/access/"])
def test_and_why_is_said(cast: Cast, page: str) -> None:
    factories.NamespaceFactory(account=cast.account, name="team")
    assert "Viewers can’t" in cast.client("viewer").get(f"/a/team-red/{page}").content.decode()
    assert "Viewers can’t" not in cast.client("manager").get(f"/a/team-red/{page}").content.decode()


@pytest.mark.parametrize("tags", [0, 1])
def test_of_two_ways_to_delete_a_namespace_the_one_that_works_is_offered(cast: Cast, tags: int) -> None:
    factories.ImageFactory(namespace__account=cast.account, namespace__name="team", tag_count=tags)
    text = cast.client("owner").get("/a/team-red/n/team/settings/").content.decode()
    assert ("/n/team/delete/" in text) is not bool(tags)
    assert ("/n/team/delete-all/" in text) is bool(tags)
