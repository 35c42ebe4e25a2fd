"""/…/images/{image}/-/purge/, /…/namespaces/{name}/purge/ and purges/"""

from accounts.models import AuditEvent
from registry_sync.models import Purge
from tests import factories
from tests.integration.api.caller import error_of
from tests.integration.api.world import World

NAMESPACE = "accounts/team-red/namespaces/red/"
IMAGE = f"{NAMESPACE}images/app/api/-/"


def test_an_image_is_deleted_with_what_was_told_and_the_name(world: World) -> None:
    caller = world.caller("manager")
    impact = caller.get(f"{IMAGE}purge/").json()
    assert (impact["images"], impact["tags"], impact["manifests"]) == (1, 1, 1)
    body = {"told": impact["told"], "typed_name": "app/api"}
    assert caller.post(f"{IMAGE}purge/", body | {"typed_name": "api"}).status_code == 400
    assert caller.post(f"{IMAGE}purge/", body | {"told": "x"}).status_code == 409
    made = caller.post(f"{IMAGE}purge/", body)
    assert made.status_code == 202
    assert (made.json()["state"], made.json()["image"]) == ("waiting", "app/api")
    assert caller.get(f"{NAMESPACE}purges/{made.json()['id']}/").json() == made.json()
    assert caller.get(f"{NAMESPACE}purges/").json()["results"][0]["id"] == made.json()["id"]
    assert AuditEvent.objects.filter(action="image.deletion_asked").count() == 1


def test_a_namespace_is_deleted_with_all_in_it(world: World) -> None:
    caller = world.caller("owner")
    impact = caller.get(f"{NAMESPACE}purge/").json()
    body = {"told": impact["told"], "typed_name": "red"}
    answer = caller.post(f"{NAMESPACE}purge/", body)
    assert (answer.status_code, answer.json()["image"]) == (202, "")
    stopped = caller.post(f"{NAMESPACE}purges/{answer.json()['id']}/stop/")
    assert stopped.status_code == 200
    assert "stopped" in stopped.json()["problem"]


def test_what_a_viewer_may(world: World) -> None:
    caller = world.caller("viewer")
    for address in (f"{IMAGE}purge/", f"{NAMESPACE}purge/"):
        assert caller.get(address).status_code == 200
        assert caller.post(address, {"told": "x", "typed_name": "red"}).status_code == 403
    assert caller.post(f"{NAMESPACE}purges/{world.purge.pk}/back/").status_code == 403


def test_it_is_put_back_once(world: World) -> None:
    caller = world.caller("owner")
    back = caller.post(f"{NAMESPACE}purges/{world.purge.pk}/back/")
    assert (back.status_code, back.json()["state"]) == (202, "returning")
    Purge.objects.update(state="back")
    again = caller.post(f"{NAMESPACE}purges/{world.purge.pk}/back/")
    assert again.status_code == 409
    assert error_of(again)


def test_another_accounts_is_not_there(world: World) -> None:
    theirs = factories.NamespaceFactory(account=world.cast.elsewhere, name="theirs")
    purge = Purge.objects.create(namespace=theirs, asked_by="x")
    caller = world.caller("owner")
    assert caller.get(f"{NAMESPACE}purges/{purge.pk}/").status_code == 404
    assert caller.get("accounts/elsewhere/namespaces/theirs/purge/").status_code == 404
