"""Run inside `manage.py shell`: pushes with webhooks and without, and deliveries."""

import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.utils import timezone

from accounts.models import Account
from accounts.principal import SYSTEM
from namespaces.models import Image, Manifest, Namespace, Webhook, WebhookDelivery
from namespaces.services import webhooks
from namespaces.webhooks import delivery
from registry_sync.inventory import late_history
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.models import Repository

PUSHES, TURNS, MESSAGES = 50, 15, 300


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words):
        """Silent."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
digests = [f"sha256:{n:064x}" for n in range(2)]
Manifest.objects.bulk_create(
    [Manifest(digest=each, media_type="x", kind="image", size=1) for each in digests]
)


def make_image(number):
    account = Account.objects.create(name=f"a{number}", handle=f"a{number}")
    image = Image.objects.create(
        namespace=Namespace.objects.create(account=account, name=f"n{number}"), name="app"
    )
    Repository.objects.create(name=image.repository, image=image)
    for each in range(number):
        webhooks.create(
            by=SYSTEM, account=account, url=f"http://127.0.0.1:{server.server_port}/{each}", format="cloudevents",
            event_types=["image.pushed"],
        )  # fmt: skip
    return image.pk


def push(pk, turn):
    image = Image.objects.select_related("namespace__account").get(pk=pk)
    at = timezone.now() + timedelta(seconds=turn)
    changes = [(image, TagChange(f"v{n}", digests[turn % 2], at, "ci")) for n in range(PUSHES)]
    began = time.process_time()
    late_history.record_changes(changes)
    return (time.process_time() - began) / PUSHES * 1e6


images = {number: make_image(number) for number in (0, 1, 10)}
least = dict.fromkeys(images, float("inf"))
for turn in range(TURNS):
    for number, pk in images.items():
        least[number] = min(least[number], push(pk, turn))
WebhookDelivery.objects.all().delete()
hooks = list(Webhook.objects.all())
data = {"namespace": "n1", "image": "app", "tag": "1", "digest": digests[0], "previous_digest": "",
        "at": timezone.now().isoformat(), "by": "ci", "public": False}  # fmt: skip
WebhookDelivery.objects.bulk_create(
    [
        WebhookDelivery(webhook=hooks[n % len(hooks)], event_type="image.pushed", data=data)
        for n in range(MESSAGES)
    ]
)
began = time.perf_counter()
assert delivery.deliver_due(seconds=300) == MESSAGES
rate = MESSAGES / (time.perf_counter() - began)
print("FOUND", json.dumps({"pushes": least, "delivered": rate}))
