"""skopeo pushes; a receiver verifies what it is told; a real Prometheus has counted it."""

import json
import time

from standardwebhooks.webhooks import Webhook as Verifier

from accounts.common import secret_files
from tests.parts import images, install, prometheus
from tests.parts.scripted import Answer, Scripted
from tests.showcase.installation import REPOSITORY, SERVERS, Installation
from tests.showcase.told import demand, say

MAKE = """
from accounts.models import Account
from accounts.principal import SYSTEM
from namespaces.services import webhooks
made = webhooks.create(by=SYSTEM, account=Account.objects.get(), url={url!r}, format="cloudevents",
                       event_types=["image.pushed"])
print("MADE", made.signing_secret)
"""
KEY = "k" * 40
COUNTED = (
    'sum(registry_manager_token_seconds_count{result=~"granted|partial"}) > 0',
    'registry_manager_webhooks{state="working"} == 1',
    "registry_manager_database_up == 1",
)


def show(at: Installation) -> None:
    key = at.data / "secrets" / "metrics.key"
    secret_files.create(key, KEY.encode())
    for name in SERVERS:  # which read the key when they start
        at.stop(name)
        at.start(name)
    receiver = Scripted(otherwise=Answer(204))
    try:
        secret = at.shell(MAKE.format(url=f"{receiver.url}/hook")).split("MADE ")[1].strip()
        image = push(at, "1.0.0", b"first")
        began = time.monotonic()
        at.until(lambda: bool(receiver.posted), "webhook")
        took = time.monotonic() - began
        _path, headers, body = receiver.posted[0]
        event = Verifier(secret).verify(body, headers)
    finally:
        receiver.stop()
    say(f"skopeo pushed {REPOSITORY}:1.0.0, {image.digest[:19]}…; the webhook came {took:.1f} s later")
    said = {name: event["data"][name] for name in ("tag", "digest", "previousDigest", "actor")}
    say(f"standardwebhooks verified {headers['webhook-id']}: {event['type']} {json.dumps(said)}")
    demand((said["tag"], said["digest"]) == ("1.0.0", image.digest), "the event tells of what was pushed")
    folder = at.folder / "prometheus"
    folder.mkdir()
    rules = install.ROOT / "deploy" / "prometheus" / "alerts.yml"
    with prometheus.running(folder, [at.ports[name] for name in SERVERS], key, rules) as scraping:
        for expression in COUNTED:
            found = scraping.wait_for(expression)
            say(f"Prometheus: {expression} → {', '.join(each['value'][1] for each in found)}")


def push(at: Installation, tag: str, content: bytes) -> images.Image:
    image = images.Image(layers=[{"content": content}])
    layout = images.write_layout(at.folder / "layouts" / tag, image)
    at.skopeo()("copy", f"oci:{layout}:latest", f"docker://{at.host}/{REPOSITORY}:{tag}")
    return image
