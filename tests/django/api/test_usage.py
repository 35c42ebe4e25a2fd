"""/accounts/{handle}/usage/ and /namespaces/{ns}/usage/, and what the lists tell of each."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Person
from namespaces import usage
from namespaces.models import RepositoryManifest, Usage
from tests import factories
from tests.django.api.caller import Caller, token_of
from tests.django.api.world import World
from tests.django.namespaces.test_usage import held

HERE = "accounts/team-red/"


def test_bytes_of_the_account_its_namespaces_and_images(world: World) -> None:
    today = timezone.localdate()
    held(world.tag.image, base=100, app=10)
    usage.measure(today)
    ago = today - timedelta(days=3)
    Usage.objects.create(account_id=world.cast.account.pk, day=ago, stored_bytes=7)
    Usage.objects.create(
        account_id=world.cast.account.pk, day=today - timedelta(days=usage.DAYS + 1), stored_bytes=1
    )
    Usage.objects.create(account_id=world.cast.elsewhere.pk, day=ago, stored_bytes=999)
    caller = world.caller("viewer")
    told = caller.get(f"{HERE}usage/").json()
    assert told.pop("counted_at")
    days = [{"day": ago.isoformat(), "usage_bytes": 7}, {"day": today.isoformat(), "usage_bytes": 110}]
    now = {"usage_bytes": 110, "tagged_bytes": 0, "untagged_bytes": 110, "uncollected_bytes": 0}
    assert told == now | {"history": days, "shared_bytes": 0}
    of_namespace = caller.get(f"{HERE}namespaces/red/usage/").json()
    assert of_namespace.pop("counted_at")
    assert of_namespace == now | {"history": days[1:]}
    assert caller.get(f"{HERE}namespaces/empty/usage/").json()["usage_bytes"] == 0
    assert caller.get(f"{HERE}namespaces/red/").json()["usage_bytes"] == 110
    assert caller.get(f"{HERE}images/").json()["results"][0]["usage_bytes"] == 110


def test_what_was_never_measured_is_nothing(world: World) -> None:
    told = world.caller("viewer").get(f"{HERE}usage/").json()
    nothing = dict.fromkeys(("usage_bytes", "tagged_bytes", "untagged_bytes", "uncollected_bytes"), 0)
    assert told == nothing | {"counted_at": None, "history": [], "shared_bytes": 0}


def test_what_is_deleted_waits_until_it_is_collected(world: World, operator: Person) -> None:
    gone = held(world.tag.image, base=100)
    RepositoryManifest.objects.filter(pk=gone.pk).update(gone_at=timezone.now())
    usage.measure(timezone.localdate())
    caller = world.caller("viewer")
    for path in ("usage/", "namespaces/red/usage/", "namespaces/red/", "images/"):
        told = caller.get(f"{HERE}{path}").json()
        told = told["results"][0] if path == "images/" else told
        assert (told["usage_bytes"], told["uncollected_bytes"], told["untagged_bytes"]) == (0, 100, 0), path
    whole = Caller(token_of(operator)).get("system/").json()["installation"]
    names = ("tagged_bytes", "untagged_bytes", "uncollected_bytes")
    assert [whole[name] for name in names] == [0, 0, 100]
    assert whole["counted_at"]


def test_what_namespaces_share_is_told(world: World) -> None:
    held(world.tag.image, base=100)
    held(factories.ImageFactory(namespace=world.empty, name="same"), base=100)
    usage.measure(timezone.localdate())
    told = world.caller("viewer").get(f"{HERE}usage/").json()
    assert (told["usage_bytes"], told["shared_bytes"]) == (100, 100)
