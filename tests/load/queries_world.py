"""Run inside `manage.py shell` after listing_world: an image with a history, and accounts with images.

Older builds run it, too.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection

from accounts.models import Account, Member, Person
from namespaces import models
from namespaces.models import Image, Manifest, Namespace, Tag

TAGS, ACCOUNTS, IMAGES_EACH = 50_000, 200, 250
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fill() -> None:
    digests = list(Manifest.objects.order_by("digest").values_list("digest", flat=True)[: TAGS + 1])
    _history(digests)
    _accounts(digests[0])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _history(digests: list[str]) -> None:
    """Each tag was pushed and then moved. Its manifest has a config, a layer of its own and one of all."""
    entries, revisions, parts = (
        getattr(models, new, None) or getattr(models, old)
        for new, old in (
            ("TagHistoryEntry", "TagMove"),
            ("RepositoryManifest", "Revision"),
            ("Descriptor", "Part"),
        )
    )
    namespace = Namespace.objects.get(name="bench")
    tall = Image.objects.create(
        namespace=namespace, name="tall", tag_count=TAGS, pushed_at=NOW, latest_tag="t0"
    )
    Tag.objects.bulk_create(
        (Tag(image=tall, name=f"t{n}", manifest_id=digests[n + 1], pushed_at=_at(n)) for n in range(TAGS)),
        batch_size=5000,
    )
    revisions.objects.bulk_create(
        (revisions(image=tall, manifest_id=each) for each in digests), batch_size=5000
    )
    shared = "sha256:" + "0" * 64
    parts.objects.bulk_create(
        (
            parts(manifest_id=each, digest=digest, kind=kind)
            for each in digests
            for kind, digest in (("config", f"c{each[1:]}"), ("layer", f"l{each[1:]}"), ("layer", shared))
        ),
        batch_size=5000,
    )
    pushed = (
        entries(image=tall, tag=f"t{n}", new=digests[n], at=_at(n + TAGS), how="event") for n in range(TAGS)
    )
    moved = (
        entries(image=tall, tag=f"t{n}", old=digests[n], new=digests[n + 1], at=_at(n), how="event")
        for n in range(TAGS)
    )
    for rows in pushed, moved:
        entries.objects.bulk_create(rows, batch_size=5000)


def _at(n: int) -> datetime:
    return NOW - timedelta(seconds=n)


def _accounts(digest: str) -> None:
    person = Person.objects.get(email="listing@example.com")
    for number in range(ACCOUNTS):
        account = Account.objects.create(name=f"Tenant {number}", handle=f"tenant-{number}")
        spaces = [Namespace.objects.create(account=account, name=f"tenant{number}-{n}") for n in range(5)]
        images = Image.objects.bulk_create(
            Image(namespace=spaces[n % 5], name=f"image{n}", tag_count=1, pushed_at=_at(n), latest_tag="v1")
            for n in range(IMAGES_EACH)
        )
        Tag.objects.bulk_create(
            Tag(image=each, name="v1", manifest_id=digest, pushed_at=NOW) for each in images
        )
        if not number:
            Member.objects.create(account=account, person=person, role="owner")


fill()
