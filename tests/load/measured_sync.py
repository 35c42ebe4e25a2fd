"""Runs inside the measured installation (`manage.py shell`): each check, and in turns the same requests made bare.

Its last line is JSON: check → how many times the bare requests' CPU it took, and the panel's own part in seconds.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from django.conf import settings

from accounts.models import Account
from namespaces.models import Image, Manifest, Namespace, Tag, TagHistoryEntry
from registry_sync.client import CATALOG, RegistryClient
from registry_sync.client.responses import MANIFEST_TYPES
from registry_sync.models import Repository, SyncRun
from registry_sync.panel_client import PanelTokens
from registry_sync.reconcile.run import reconcile
from tests.load.usage import cpu

STORAGE, REPOSITORIES, TAGS = (
    Path(os.environ["BENCH_STORAGE"]),
    int(os.environ["BENCH_REPOSITORIES"]),
    int(os.environ["BENCH_TAGS"]),
)
DIGEST, OTHER = os.environ["BENCH_DIGEST"], os.environ["BENCH_OTHER_DIGEST"]
REGISTRY = int(os.environ["BENCH_REGISTRY_PID"])
TURNS = int(os.environ["BENCH_TURNS"])
PARALLEL = 32


class Cost(NamedTuple):
    """In seconds: by the clock, and those that this process and the registry computed."""

    clock: float
    ours: float
    registry: float

    @property
    def cpu(self) -> float:
        return self.ours + self.registry


def cost(work: Callable[[], Any]) -> tuple[Cost, Any]:
    began, ran, served = time.perf_counter(), time.process_time(), cpu(REGISTRY)
    made = work()
    return Cost(time.perf_counter() - began, time.process_time() - ran, cpu(REGISTRY) - served), made


def rows() -> int:
    return sum(model.objects.count() for model in (Image, Tag, Manifest, Repository, TagHistoryEntry))


def check(label: str, beside: Cost | None = None, *, quick: bool = False) -> tuple[float, float]:
    """Return its CPU divided by that of `beside`, and the seconds of it that were ours."""
    before = rows()
    if quick:
        SyncRun.objects.create(quick=True)  # as the schedule does while a full check rests
    took, run = cost(lambda: reconcile(RegistryClient(settings.REGISTRY_URL, PanelTokens())))
    assert run.state == "done", run.problem
    say(label, run.requests, f"{rows() - before:,}", took, beside)
    return took.cpu / beside.cpu if beside else 0, took.ours


def bare(label: str, **kind: bool) -> Cost:
    took, requests = cost(lambda: asyncio.run(ask(**kind)))
    say(f"  bare, as {label}", requests, "", took, None)
    return took


def say(label: str, requests: int, written: str, took: Cost, beside: Cost | None) -> None:
    ratios = f"{took.cpu / beside.cpu:>8.2f}{took.clock / beside.clock:>8.2f}" if beside else ""
    seconds = f"{took.clock:>8.1f} s{took.ours:>8.1f} s{took.registry:>8.1f} s"
    print(f"  {label:<28}{requests:>9,}{written:>9}{seconds}{ratios}", flush=True)


def move_one_in_a_hundred() -> None:
    links = sorted(STORAGE.glob("repositories/bench/image*/_manifests/tags/v5/current/link"))
    for link in links[::10]:
        link.write_text(OTHER)


async def ask(*, digests: bool = True, known: bool = True) -> int:
    """The catalog, each tag list, and each tag, conditionally where it is `known`. Nothing is compared or written."""
    tokens, asked = PanelTokens(), 0
    names = [f"bench/image{number}" for number in range(REPOSITORIES)]
    manifest_headers = {"Accept": MANIFEST_TYPES} | ({"If-None-Match": f'"{DIGEST}"'} if known else {})
    gate = asyncio.Semaphore(PARALLEL)
    connector = aiohttp.TCPConnector(limit=PARALLEL)
    async with aiohttp.ClientSession(settings.REGISTRY_URL, connector=connector) as session:

        async def get(path: str, scope: str, **headers: str) -> None:
            nonlocal asked
            asked += 1
            headers["Authorization"] = f"Bearer {tokens(scope)}"
            async with gate, session.get(path, headers=headers) as answer:
                await answer.read()
                assert answer.status in (200, 304), answer.status

        async def one(name: str) -> None:
            await get(f"/v2/{name}/tags/list", name)
            if digests:
                tags = (f"/v2/{name}/manifests/v{n}" for n in range(TAGS))
                await asyncio.gather(*(get(tag, name, **manifest_headers) for tag in tags))

        for start in range(0, len(names), 1000):
            await get("/v2/_catalog?n=1000", CATALOG)
            await asyncio.gather(*(one(name) for name in names[start : start + 1000]))
    return asked


account = Account.objects.create(name="b", handle="b")
Namespace.objects.create(account=account, name="bench")
bare("first load", known=False)  # warm: the registry has not read a file yet
found = {"first load": [check("first load", bare("first load", known=False))], "full check": [], "names": []}
for _turn in range(TURNS):
    found["full check"].append(check("unchanged", bare("unchanged")))
    found["names"].append(check("names only", bare("names only", digests=False), quick=True))
move_one_in_a_hundred()
check("1 % of the tags moved")
print(json.dumps({label: [min(kind) for kind in zip(*costs, strict=True)] for label, costs in found.items()}))
