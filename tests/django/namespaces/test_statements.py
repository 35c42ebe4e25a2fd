"""How many statements a page asks, where events arrive. The numbers may only fall."""

import pytest
from django.utils import timezone

from registry_sync.models import Marker, SyncRun
from tests import factories, statements
from tests.cast import Cast

IMAGE = "/a/team-red/n/red/i/app/api/"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (IMAGE, 8),
        ("/a/team-red/images/", 9),
        ("/a/team-red/users/", 6),
        (f"{IMAGE}-/access/", 8),
        (f"{IMAGE}-/tags/1.0/", 10),
        (f"{IMAGE}-/delete-preview/?tag=1.0", 17),
        ("/a/team-red/activity/", 6),
        ("/a/team-red/activity/?kind=all", 9),
        ("/a/team-red/access/", 8),
        ("/a/team-red/access/?namespace=red", 8),
        ("/a/team-red/access/check/?action=pull&repository=red/app/api", 8),
        ("/a/team-red/access/who/?action=pull&repository=red/app/api", 8),
    ],
)
def test_a_page_asks_no_more(cast: Cast, path: str, most: int) -> None:
    now = timezone.now()
    Marker.objects.update_or_create(name=Marker.EVENTS, defaults={"at": now})
    for _run in range(2):
        SyncRun.objects.create(state=SyncRun.State.DONE, started_at=now, finished_at=now)
    image = factories.ImageFactory(
        namespace=factories.NamespaceFactory(account=cast.account, name="red"), name="app/api"
    )
    for user in factories.RegistryUserFactory.create_batch(5, account=cast.account):
        factories.GrantFactory(user=user, namespace=image.namespace)
        factories.TagFactory(image=image, pushed_by=user.username)
    factories.TagFactory(image=image, name="1.0", pushed_by=user.username)
    client = cast.client("owner")
    client.get(path)

    with statements.counted() as asked:
        assert client.get(path).status_code == 200
    assert len(asked) <= most, "\n".join(asked)


@pytest.mark.parametrize(("policies", "most"), [(0, 16), (3, 18)])
def test_the_page_of_a_user_asks_no_more(cast: Cast, policies: int, most: int) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    factories.GrantFactory(user=user, namespace=factories.NamespaceFactory(account=cast.account))
    factories.TrustPolicyFactory.create_batch(policies, user=user)
    client = cast.client("owner")
    client.get(user.get_absolute_url())

    with statements.counted() as asked:
        assert client.get(user.get_absolute_url()).status_code == 200
    assert len(asked) <= most, "\n".join(asked)
