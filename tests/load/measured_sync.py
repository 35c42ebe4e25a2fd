"""Runs inside the measured installation (`manage.py shell`): syncs, and the same requests made bare."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from django.conf import settings

from accounts.models import Account
from namespaces.models import Image, Manifest, Namespace, Tag, TagHistoryEntry
from registry_sync.client import CATALOG, RegistryClient
from registry_sync.client.responses import MANIFEST_TYPES
from registry_sync.models import Repository, SyncRun
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile

STORAGE, OTHER = Path(os.environ["BENCH_STORAGE"]), os.environ["BENCH_OTHER_DIGEST"]
PARALLEL = 32


def timed(work: Callable[[], Any]) -> tuple[str, Any]:
    """Seconds by the clock, and those in which this process ran: the rest is the registry's."""
    began, ran = time.perf_counter(), time.process_time()
    made = work()
    return f"{time.perf_counter() - began:>8.1f} s ({time.process_time() - ran:.1f} s ours)", made


def rows() -> int:
    return sum(model.objects.count() for model in (Image, Tag, Manifest, Repository, TagHistoryEntry))


def sync(label: str, *, quick: bool = False) -> None:
    before = rows()
    if quick:
        SyncRun.objects.create(quick=True)  # as the schedule does while a full check rests
    seconds, run = timed(lambda: reconcile(RegistryClient(settings.REGISTRY_URL, PanelTokens())))
    assert run.state == "done", run.problem
    say(label, run.requests, f"{rows() - before:,}", run.changes, seconds)


def say(label: str, requests: int, written: str, changes: int | str, took: str) -> None:
    print(f"  {label:<38}{requests:>8,} requests{written:>9} rows{changes:>7} changes{took}", flush=True)


def move_one_in_a_hundred() -> None:
    links = sorted(STORAGE.glob("repositories/bench/image*/_manifests/tags/v5/current/link"))
    for link in links[::10]:
        link.write_text(OTHER)


async def bare(known: dict[str, str], *, digests: bool) -> int:
    """The catalog, each tag list, and each tag's conditional request: nothing is compared or written."""
    tokens, asked = PanelTokens(), 0
    names = [f"bench/{name}" for name in known]
    gate = asyncio.Semaphore(PARALLEL)
    connector = aiohttp.TCPConnector(limit=PARALLEL)
    async with aiohttp.ClientSession(settings.REGISTRY_URL, connector=connector) as session:

        async def get(path: str, scope: str, **headers: str) -> None:
            nonlocal asked
            asked += 1
            headers["Authorization"] = f"Bearer {tokens(scope)}"
            async with gate, session.get(path, headers=headers) as answer:
                await answer.read()

        async def one(name: str) -> None:
            await get(f"/v2/{name}/tags/list", name)
            etag = f'"{known[name[6:]]}"'
            if digests:
                await asyncio.gather(*(
                    get(f"/v2/{name}/manifests/v{n}", name, Accept=MANIFEST_TYPES, **{"If-None-Match": etag})
                    for n in range(10)
                ))  # fmt: skip

        for start in range(0, len(names), 1000):
            await get("/v2/_catalog?n=1000", CATALOG)
            await asyncio.gather(*(one(name) for name in names[start : start + 1000]))
    return asked


account = Account.objects.create(name="b", handle="b")
Namespace.objects.create(account=account, name="bench")
sync("first")
sync("unchanged")
sync("names only", quick=True)
first_digests = dict(Tag.objects.order_by("id").values_list("image__name", "manifest_id"))
for label, digests in (("names only, bare", False), ("the same requests as unchanged, bare", True)):
    seconds, asked = timed(lambda: asyncio.run(bare(first_digests, digests=digests)))  # noqa: B023
    say(label, asked, "–", "–", seconds)
move_one_in_a_hundred()
sync("1 % of the tags moved")
sync("unchanged again")
