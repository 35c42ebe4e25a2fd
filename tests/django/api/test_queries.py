"""A list asks the database as often for many rows as for few."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from namespaces.access import Level
from tests import factories
from tests.django.api.world import World

RED = "accounts/team-red/namespaces/red/images/"


@pytest.mark.parametrize(
    "path",
    [
        "accounts/",
        "accounts/team-red/members/",
        "accounts/team-red/users/",
        "accounts/team-red/namespaces/",
        "accounts/team-red/grants/",
        RED,
        f"{RED}app/api/-/tags/",
        f"{RED}app/api/-/access/",
    ],
)
def test_many_rows_cost_no_more_queries(world: World, path: str) -> None:
    caller = world.caller("owner")
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = caller.get(path)
        assert response.status_code == 200
        counts.append(len(queries))
        grow(world)
    assert counts[0] == counts[1]
    pages_users = path.endswith("/access/")  # then asks for the grants of those alone
    assert counts[0] <= 5 + pages_users  # token, member, namespace, image, rows


def grow(world: World) -> None:
    cast = world.cast
    factories.MemberFactory.create_batch(10, account=cast.account, role="viewer")
    factories.MemberFactory.create_batch(10, person=cast.owner)
    factories.NamespaceFactory.create_batch(10, account=cast.account)
    for user in factories.RegistryUserFactory.create_batch(10, account=cast.account):
        factories.GrantFactory(user=user, namespace=world.namespace)
        factories.GrantFactory(user=user, namespace=world.namespace, image_name="app/api", level=Level.WRITE)
    factories.TagFactory.create_batch(10, image=world.tag.image)
    for image in factories.ImageFactory.create_batch(10, namespace=world.namespace):
        factories.TagFactory(image=image)
