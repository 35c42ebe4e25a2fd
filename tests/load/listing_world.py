"""Run inside `manage.py shell`: 1,000,000 tags, 200,000 of them in one image, written past the models for speed."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction

from accounts.models import Account, Member, Person, RegistryUser
from namespaces import natural_sort
from namespaces.models import Image, Namespace
from namespaces.search_query import label_start

TAGS, IN_ONE, SMALL_IMAGES, MANIFESTS = 1_000_000, 200_000, 8_000, 250_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def fill() -> None:
    person = Person.objects.create_user("listing@example.com")
    account = Account.objects.create(name="Listing", handle="listing")
    Member.objects.create(account=account, person=person, role="owner")
    namespace = Namespace.objects.create(account=account, name="bench")
    RegistryUser.objects.create(account=account, username="pusherpusher", description="CI deploy")
    big = Image.objects.create(namespace=namespace, name="big", tag_count=IN_ONE, pushed_at=NOW)
    small = Image.objects.bulk_create(
        Image(namespace=namespace, name=f"small/{n}", tag_count=100, pushed_at=NOW - timedelta(seconds=n))
        for n in range(SMALL_IMAGES)
    )
    images = [big.pk] * IN_ONE + [image.pk for image in small for _n in range(100)]
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
        write("manifest", MANIFEST, (manifest(n) for n in range(MANIFESTS)))
        write("label", LABEL, (label(n) for n in range(MANIFESTS)))
        write("tag", TAG, (tag(n, image) for n, image in enumerate(images)))
        held = {(image, n % MANIFESTS) for n, image in enumerate(images)}
        write(
            "repositorymanifest", REPOSITORY_MANIFEST, ((image, digest(n), NOW) for image, n in sorted(held))
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def write(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(columns))
            for batch in batches(map(as_stored, rows)):
                cursor.executemany(f"INSERT INTO namespaces_{table} ({names}) VALUES ({marks})", batch)  # noqa: S608
            return
        with cursor.copy(f"COPY namespaces_{table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def as_stored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Moments as Django writes them to SQLite, where they are text and are compared as text."""
    write = connection.ops.adapt_datetimefield_value
    return tuple(write(value) if isinstance(value, datetime) else value for value in row)


def batches(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    source = iter(rows)
    while batch := list(islice(source, 10_000)):
        yield batch


def digest(n: int) -> str:
    return "sha256:" + hashlib.sha256(b"%d" % n).hexdigest()


MANIFEST = ["digest", "media_type", "artifact_type", "kind", "size", "platforms", "details", "subject",
            "body_zlib", "fetched_at"]  # fmt: skip


def manifest(n: int) -> tuple[Any, ...]:
    platforms = [{"platform": "linux/amd64", "digest": digest(n), "size": n}]
    details = {"config": {"labels": {"org.opencontainers.image.revision": revision(n)}}}
    kind = "application/vnd.oci.image.manifest.v1+json"
    return (
        digest(n), kind, "", "image", n * 37 % 900_000_000, json.dumps(platforms), json.dumps(details), "", b"", NOW
    )  # fmt: skip


LABEL = ["manifest_id", "key", "value", "value_prefix"]


def label(n: int) -> tuple[Any, ...]:
    return digest(n), "org.opencontainers.image.revision", revision(n), label_start(revision(n))


def revision(n: int) -> str:
    return hashlib.sha1(b"%d" % n, usedforsecurity=False).hexdigest()


TAG = ["image_id", "name", "manifest_id", "first_seen_at", "pushed_at", "pushed_by", "pulled_at", "pull_count",
       "sort_key", "size", "technical"]  # fmt: skip


def tag(n: int, image: int) -> tuple[Any, ...]:
    """Mostly v1.2.3-45, some nightly-…, and each thousandth made by a tool."""
    technical = n % 1000 == 7
    name = f"v{n % 40}.{n // 40 % 50}.{n // 2000}" if n % 10 else f"nightly-{n * 7919 % 1_000_000:06}-{n:x}"
    if technical:
        name = digest(n).replace(":", "-") + ".sig"
    pulled = NOW - timedelta(minutes=n * 31 % 400_000) if n % 3 else NEVER
    return (
        image, name, digest(n % MANIFESTS), NOW, NOW - timedelta(seconds=n * 7919 % 30_000_000), "pusherpusher",
        pulled, n % 3 * 5, natural_sort.sort_key(name), n % MANIFESTS * 37 % 900_000_000, technical,
    )  # fmt: skip


REPOSITORY_MANIFEST = ["image_id", "manifest_id", "first_seen_at"]

fill()
