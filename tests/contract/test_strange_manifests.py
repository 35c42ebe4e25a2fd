"""Manifests that registries take and few tools write: what they list is known, and what cannot be read is respected."""

import json
from typing import Any

import pytest

from accounts.common.errors import Conflict
from namespaces.models import Manifest
from registry_sync.deletion import service
from registry_sync.models import Removal
from tests.contract.conftest import push, push_blob, push_manifest
from tests.contract.removals import Place, ends, place
from tests.parts import images
from tests.parts.registries import RunningRegistry

pytestmark = [pytest.mark.contract, pytest.mark.django_db(transaction=True)]
ONE, TWO = images.two_platforms()
PLAIN = images.Image(env=["A=1"])


@pytest.fixture
def there(registry: RunningRegistry, db: None) -> Place:
    return place(registry)


def document(media_type: str, **fields: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode()


def put(there: Place, tag: str, media_type: str, body: bytes) -> str:
    return push_manifest(there.registry, "team/app", tag, images.Blob(media_type, body))


def listed(image: images.Image) -> dict[str, Any]:
    return image.manifest.descriptor | {"platform": image.platform}


def odd_index(kind: str) -> bytes:
    both = json.dumps([listed(ONE), listed(TWO)]).encode()
    whole = document(images.INDEX, manifests=[listed(ONE), listed(TWO)], annotations={"by": "Rene"})
    return {
        "Latin-1": whole.replace(b"Rene", b"Ren\xe9"),
        "in capitals": whole.replace(b'"manifests"', b'"MANIFESTS"'),
        "twice": whole.replace(b'{"schema', b'{"manifests": [], "schema'),
        "deep": whole.replace(b'{"schema', b'{"strange": ' + b"[" * 5000 + b"]" * 5000 + b', "schema'),
        "a long number": whole.replace(b'{"schema', b'{"strange": ' + b"9" * 5000 + b', "schema'),
        "the long s": whole.replace(b'"manifests": ' + both, '"manife\u017fts": '.encode() + both),
    }[kind]


@pytest.mark.parametrize("kind", ["Latin-1", "in capitals", "twice", "deep", "a long number", "the long s"])
def test_no_platform_of_an_odd_index_is_offered_for_deletion(there: Place, kind: str) -> None:
    push(there.registry, "team/app", "one", ONE)
    push(there.registry, "team/app", "two", TWO)
    index = put(there, "multi", images.INDEX, odd_index(kind))
    there.sync()
    row = Manifest.objects.get(digest=index)
    assert [each["platform"] for each in row.platforms] == ["linux/amd64", "linux/arm64"]
    with pytest.raises(Conflict, match="tagged multi"):
        there.delete("one")


def test_what_hangs_on_an_image_goes_with_it_whatever_its_layers(there: Place) -> None:
    digest = push(there.registry, "team/app", "1.0", PLAIN)
    subject = {"config": PLAIN.config.descriptor, "subject": PLAIN.manifest.descriptor}
    about = [
        document(images.MANIFEST, **subject, **rest)
        for rest in ({"layers": None}, {"layers": []}, {"annotations": {"none": "at all"}})
    ]
    hung = [put(there, images.Blob("", body).digest, images.MANIFEST, body) for body in about]
    for number, body in enumerate(about):  # under a tag, so that a sync finds it, and then without
        put(there, f"hung{number}", images.MANIFEST, body)
    there.sync()
    there.untag("hung0", "hung1", "hung2")
    there.work()
    shown = service.preview(there.image(), tags=["1.0"])
    assert (set(shown.impact.referrers), shown.blocked_reason) == ({*hung}, "")
    removal = there.delete("1.0")
    there.work()
    assert ends(removal)[0] == "done"
    assert [there.points_at(each) for each in (digest, *hung)] == [""] * 4


def test_what_cannot_be_read_holds_all_but_its_own_deletion(there: Place) -> None:
    """Registries do not look at `subject`, and no client in Go reads a manifest whose subject is a number."""
    digest = push(there.registry, "team/app", "1.0", PLAIN)
    there.sync()
    told = service.preview(there.image(), tags=["1.0"]).preview_digest
    early = service.delete(
        by=there.by, image=there.image(), tags=["1.0"], digests=(), preview_digest=told, confirmation="app"
    )
    push_blob(there.registry, "team/app", PLAIN.config)
    odd = put(there, "odd", images.MANIFEST, document(
        images.MANIFEST, config=PLAIN.config.descriptor, layers=[], subject=5,
    ))  # fmt: skip
    there.work()  # asked for before anybody knew of the odd one
    assert ends(early) == ("failed", ["unreadable"])
    assert "tagged" not in early.items.get().detail  # the inventory does not know its tag as yet
    assert odd in early.items.get().detail
    there.sync()
    with pytest.raises(Conflict, match="tagged odd, cannot be read"):
        there.delete("1.0")
    assert there.points_at("1.0") == digest
    own = there.delete("odd")
    there.work()
    assert ends(own) == ("done", ["done"])
    after = there.delete("1.0")
    there.work()
    assert ends(after) == ("done", ["done"])
    assert (there.points_at(digest), there.points_at(odd)) == ("", "")


def test_what_cannot_be_read_and_is_gone_holds_nothing(there: Place) -> None:
    """Deleted by a client, and no event told."""
    push(there.registry, "team/app", "1.0", PLAIN)
    push(there.registry, "team/app", "2.0", ONE)
    odd = put(there, "odd", images.MANIFEST, document(
        images.MANIFEST, config=PLAIN.config.descriptor, layers=[], subject=5,
    ))  # fmt: skip
    there.sync()
    removal = Removal.objects.create(image=there.image(), kind="delete", requested_by="owner@example.com")
    item = removal.items.create(digest=PLAIN.digest, confirmed_dependents={"tags": ["1.0"]})
    there.client().delete("team/app", odd)
    there.work()
    item.refresh_from_db()
    assert item.outcome == "done"
    there.sync()
    assert service.preview(there.image(), tags=["2.0"]).blocked_reason == ""
