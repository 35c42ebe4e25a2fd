"""Run inside any tree's `manage.py shell`: prints, as JSON, how many events a second are stored, applied and confirmed.

The registry holds images of a thousand manifests each, which it has reported to nobody. Older builds run this, too.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from django.utils import timezone

from accounts.models import Account, Member, Person
from namespaces.models import Namespace
from registry_sync.models import Event

IMAGES = json.loads(os.environ["BENCH_IMAGES"])  # name → digests
KIND = "application/vnd.oci.image.manifest.v1+json"
BACKLOG = int(os.environ["BENCH_BACKLOG"])

try:
    process_due = import_module("registry_sync.events.processor").process_due
    store = import_module("registry_sync.events.views").store_events
    client = import_module("registry_sync.panel_client").registry_client()
except ModuleNotFoundError:
    process_due = import_module("registry_sync.notifications.apply").apply_due
    store = import_module("registry_sync.notifications.intake").take
    client = import_module("registry_sync.connection").registry()

if hasattr(client, "pace"):  # nobody here receives the events about our own reads, which it would wait for
    client.pace = type(client.pace)()
numbers = iter(range(10**9))


def pushed(image: str, tag: str, digest: str) -> dict[str, Any]:
    target = {"mediaType": KIND, "repository": f"bench/{image}", "tag": tag, "digest": digest}
    return {
        "id": f"event{next(numbers)}",
        "action": "push",
        "timestamp": datetime.now(UTC).isoformat(),
        "target": target,
        "actor": {"name": "someone"},
    }


def stored(events: list[dict[str, Any]], *, each: int) -> None:
    for start in range(0, len(events), each):
        store(json.dumps({"events": events[start : start + each]}).encode(), timezone.now())


def rate(label: str, count: int, *works: Callable[[], object]) -> None:
    """Print what a second does of all `works`, one after the other."""
    began, ran = time.perf_counter(), time.process_time()
    for work in works:
        work()
    took = time.perf_counter() - began
    found = {"label": label, "rate": count / took, "cpu": (time.process_time() - ran) / count}
    print("RATE", json.dumps(found), flush=True)


def applied() -> None:
    while Event.objects.filter(applied_at=None).exists():
        process_due(client)


def confirmed() -> None:
    while Event.objects.exclude(due_at=None).exists():
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())
        process_due(client)


def tags(moved: int, count: int) -> Iterator[tuple[str, str, str]]:
    """Of each image in turn; `moved`: how many places on from where the tag stands in the registry."""
    for number in range(count):
        name = list(IMAGES)[number % len(IMAGES)]
        digests = IMAGES[name]
        place = number // len(IMAGES) % len(digests)
        yield name, f"v{place}", digests[(place + moved) % len(digests)]


account = Account.objects.create(name="b", handle="b")
Namespace.objects.create(account=account, name="bench")
Member.objects.create(
    account=account, person=Person.objects.create_user("bench@example.com"), role="owner"
)  # who looks at pages meanwhile
total = sum(map(len, IMAGES.values()))
new = [pushed(*tag) for tag in tags(0, total)]
stored(new[:1], each=1)
applied()
rate("stored, one a request", 300, lambda: stored(new[1:301], each=1))
stored(new[301:], each=50)
rate("new manifests, applied and confirmed", total - 1, applied, confirmed)
stored([pushed(*tag) for tag in tags(1, total)], each=50)
rate("known manifests, applied", total, applied)
confirmed()
stored([pushed(*tag) for tag in tags(0, total)], each=50)
rate("known manifests, applied and confirmed", total, applied, confirmed)
stored([pushed(*tag) for tag in tags(0, BACKLOG)], each=50)
rate(f"a backlog of {BACKLOG:,} events, applied and confirmed", BACKLOG, applied, confirmed)
