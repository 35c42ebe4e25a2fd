"""The events' part of the benchmark: from a real push to the panel, and how many are applied in a second."""

import os
import statistics
import sys
import time
from pathlib import Path

import requests

from manager.demo.push_client import CONFIG, LAYER, MANIFEST, Pusher
from tests.parts import processes, team

PUSHES = 200
APPLY = """
import json, time
from django.utils import timezone
from namespaces.models import Tag
from registry_sync import panel_client
from registry_sync.models import Event
from registry_sync import leases
from registry_sync.events.processor import LEASE, process_due
from registry_sync.events.views import store_events
tag, kind = Tag.objects.first(), "application/vnd.oci.image.manifest.v1+json"
def told(action, number, name):
    target = {"mediaType": kind, "repository": "team/app", "tag": name, "digest": tag.manifest_id}
    event = {"id": f"{action}{number}", "action": action, "target": target, "actor": {"name": "someone"}}
    return json.dumps({"events": [event]}).encode()
def rate(label, count, work):
    began = time.perf_counter()
    work()
    print(f"  {label:<44}{count / (time.perf_counter() - began):>10,.0f} events/s")
for action, many, count in (("pull", "pulls", 5000), ("push", "pushes", 1000)):
    bodies = [told(action, n, f"1.{n % 200}") for n in range(count)]
    taken = False
    while not taken:
        with leases.hold(LEASE) as lease:  # so that the worker leaves them to us
            if taken := lease is not None:
                rate(f"{many} taken in", count, lambda: [store_events(body, timezone.now()) for body in bodies])
        time.sleep(0.05)
    rate(f"{many} applied", count, lambda: process_due(panel_client.registry_client()))
assert not Event.objects.filter(applied_at=None).exists()
"""


def measure(folder: Path) -> None:
    ports = processes.ports()
    env = os.environ | {
        "DATA_DIR": str(folder / "data"),
        **ports,
        "SYNC_INTERVAL_SECONDS": "86400",
        "LOG_LEVEL": "ERROR",
        "API_CALLS_PER_MINUTE": "0",  # it asks all the time
    }
    log = folder / "run.log"
    running = processes.start("make run", [sys.executable, "manage.py", "run"], log=log, env=env)
    try:
        running.wait_until(lambda: "ready:" in log.read_text(), "say ready", seconds=60)
        world = team.make(env)
        _latency(f"http://localhost:{ports['PORT']}", f"http://localhost:{ports['REGISTRY_PORT']}", *world)
        print(team.shell(env, APPLY), end="")
    finally:
        running.stop()


def _latency(panel: str, registry: str, username: str, password: str, token: str) -> None:
    """From the answer to the client's last request until the API lists the tag; events alone, no reconcile."""
    pusher = Pusher(registry, "team/app", username, password)
    config = pusher.blob(CONFIG, b'{"architecture": "amd64", "os": "linux"}')
    layer = pusher.blob(LAYER, b"bench")
    session, took = requests.Session(), []
    session.headers["Authorization"] = f"Bearer {token}"
    for number in range(PUSHES):
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
                    "annotations": {"number": str(number)}}  # fmt: skip
        pusher.manifest(document, f"1.{number}")
        began = time.perf_counter()
        url = f"{panel}/api/v1/accounts/team/namespaces/team/images/app/-/tags/1.{number}/"
        while session.get(url, timeout=10).status_code != requests.codes.ok:
            time.sleep(0.01)
        took.append(time.perf_counter() - began)
    cuts = statistics.quantiles(took, n=100)
    print(f"EVENTS: {PUSHES} real pushes, from the registry's answer until the panel shows the tag")
    print(f"  p50 {cuts[49]:.2f} s   p99 {cuts[98]:.2f} s   slowest {max(took):.2f} s", flush=True)
