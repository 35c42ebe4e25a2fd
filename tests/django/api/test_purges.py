"""/…/images/{image}/-/purge/, /…/namespaces/{name}/purge/ and purges/"""

from accounts.models import AuditEvent
from registry_sync.models import Purge, Repository
from tests import factories
from tests.django.api.caller import error_of
from tests.django.api.world import World

NAMESPACE = "accounts/team-red/namespaces/red/"
IMAGE = f"{NAMESPACE}images/app/api/-/"
SOME = "accounts/team-red/images/purge/"


def test_an_image_is_deleted_with_what_was_told_and_the_name(world: World) -> None:
    caller = world.caller("manager")
    impact = caller.get(f"{IMAGE}purge/").json()
    assert (impact["image_count"], impact["tag_count"], impact["manifest_count"]) == (1, 1, 1)
    body = {"preview_digest": impact["preview_digest"], "confirmation": "app/api"}
    assert caller.post(f"{IMAGE}purge/", body | {"confirmation": "api"}).status_code == 400
    assert caller.post(f"{IMAGE}purge/", body | {"preview_digest": "x"}).status_code == 409
    made = caller.post(f"{IMAGE}purge/", body)
    assert made.status_code == 202
    assert (made.json()["state"], made.json()["image"]) == ("waiting", "app/api")
    assert caller.get(f"{NAMESPACE}purges/{made.json()['id']}/").json() == made.json()
    assert caller.get(f"{NAMESPACE}purges/").json()["results"][0]["id"] == made.json()["id"]
    assert AuditEvent.objects.filter(action="image.deletion_asked").count() == 1


def test_a_namespace_is_deleted_with_all_in_it(world: World) -> None:
    caller = world.caller("owner")
    impact = caller.get(f"{NAMESPACE}purge/").json()
    body = {"preview_digest": impact["preview_digest"], "confirmation": "red"}
    answer = caller.post(f"{NAMESPACE}purge/", body)
    assert (answer.status_code, answer.json()["image"]) == (202, "")
    stopped = caller.post(f"{NAMESPACE}purges/{answer.json()['id']}/stop/")
    assert stopped.status_code == 200
    assert "stopped" in stopped.json()["problem"]


def test_what_a_viewer_may(world: World) -> None:
    caller = world.caller("viewer")
    for address in (f"{IMAGE}purge/", f"{NAMESPACE}purge/"):
        assert caller.get(address).status_code == 200
        assert caller.post(address, {"preview_digest": "x", "confirmation": "red"}).status_code == 403
    assert caller.post(f"{NAMESPACE}purges/{world.purge.pk}/restore/").status_code == 403


def test_it_is_put_back_once(world: World) -> None:
    caller = world.caller("owner")
    back = caller.post(f"{NAMESPACE}purges/{world.purge.pk}/restore/")
    assert (back.status_code, back.json()["state"]) == (202, "restoring")
    Purge.objects.update(state="restored")
    again = caller.post(f"{NAMESPACE}purges/{world.purge.pk}/restore/")
    assert again.status_code == 409
    assert error_of(again)


def test_another_accounts_is_not_there(world: World) -> None:
    theirs = factories.NamespaceFactory(account=world.cast.elsewhere, name="theirs")
    purge = Purge.objects.create(namespace=theirs, requested_by="x")
    caller = world.caller("owner")
    assert caller.get(f"{NAMESPACE}purges/{purge.pk}/").status_code == 404
    assert caller.get("accounts/elsewhere/namespaces/theirs/purge/").status_code == 404


def test_some_images_are_deleted_as_one_act(world: World) -> None:
    second = factories.TagFactory(image__namespace=world.namespace, image__name="app/web", image__tag_count=1)
    Repository.objects.create(name="red/app/web", image=second.image)
    caller = world.caller("manager")
    impact = caller.get(f"{SOME}?images=red/app/api,red/app/web").json()
    assert (impact["image_count"], impact["tag_count"]) == (2, 2)
    body = {
        "images": ["red/app/api", "red/app/web"],
        "preview_digest": impact["preview_digest"],
        "confirmation": "red",
    }
    assert caller.post(SOME, body | {"confirmation": "app/api"}).status_code == 400
    assert caller.post(SOME, body | {"preview_digest": "x"}).status_code == 409
    assert caller.post(SOME, body | {"search": "app"}).status_code == 400
    assert caller.post(SOME, body | {"images": ["red/app/api", "red/none"]}).status_code == 404
    made = caller.post(SOME, body)
    assert made.status_code == 202
    [purge] = made.json()["purges"]
    assert (purge["image"], purge["namespace"], purge["selected_image_count"]) == ("", "red", 2)
    assert caller.post(SOME, body).json() == made.json()
    assert caller.get(f"{NAMESPACE}purges/{purge['id']}/").json() == purge


def test_all_images_that_match_are_deleted_as_one_act(world: World) -> None:
    world.tag.image.tag_count = 1
    world.tag.image.save()
    caller = world.caller("owner")
    query = {"search": "app", "namespace": "red"}
    told = caller.get(f"{SOME}?search=app&namespace=red").json()["preview_digest"]
    body = query | {"preview_digest": told, "confirmation": "app/api"}
    assert caller.post(SOME, body | {"namespace": "theirs"}).status_code == 404
    second = factories.TagFactory(image__namespace=world.namespace, image__name="app/web", image__tag_count=1)
    Repository.objects.create(name="red/app/web", image=second.image)
    assert caller.post(SOME, body).status_code == 409
    second.image.delete()
    [purge] = caller.post(SOME, body).json()["purges"]
    assert (purge["image"], purge["selected_image_count"]) == ("app/api", 0)


def test_who_deletes_some_images(world: World) -> None:
    for who, status in {"viewer": 200, "stranger": 404, "anonymous": 401}.items():
        answer = world.caller(who).get(f"{SOME}?images=red/app/api")
        assert answer.status_code == status
    body = {"images": ["red/app/api"], "confirmation": "app/api"}
    told = world.caller("viewer").get(f"{SOME}?images=red/app/api").json()["preview_digest"]
    for who, status in {"viewer": 403, "stranger": 404, "anonymous": 401, "manager": 202}.items():
        assert world.caller(who).post(SOME, body | {"preview_digest": told}).status_code == status
        assert Purge.objects.filter(state="waiting").exists() is (who == "manager")


def test_another_accounts_image_is_not_there_for_some(world: World) -> None:
    theirs = factories.NamespaceFactory(account=world.cast.elsewhere, name="theirs")
    secret = factories.TagFactory(image__namespace=theirs, image__name="secret")
    Repository.objects.create(name="theirs/secret", image=secret.image)
    caller = world.caller("owner")
    assert caller.get(f"{SOME}?images=theirs/secret").status_code == 404
    assert caller.get(f"{SOME}?images=red/none").json() == caller.get(f"{SOME}?images=theirs/secret").json()
    assert (
        caller.post(
            SOME, {"images": ["theirs/secret"], "preview_digest": "x", "confirmation": "secret"}
        ).status_code
        == 404
    )
