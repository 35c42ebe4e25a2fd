"""Run inside any tree's `manage.py shell` after listing_world: people to list, what they did, and two syncs."""

from datetime import UTC, datetime, timedelta

from accounts.models import Account, AuditEvent, RegistryUser
from namespaces.access import Level
from namespaces.models import Grant, Image, Namespace
from registry_sync.models import SyncRun

NOW = datetime(2026, 1, 1, tzinfo=UTC)
account, namespace = Account.objects.get(handle="listing"), Namespace.objects.get(name="bench")
users = RegistryUser.objects.bulk_create(
    RegistryUser(account=account, username=f"robot{n:07}", description=f"Robot {n}") for n in range(60)
)
Grant.objects.bulk_create(Grant(user=user, namespace=namespace, level=Level.READ) for user in users)
Grant.objects.bulk_create(
    Grant(user=user, namespace=namespace, image_name="big", level=Level.WRITE) for user in users
)
for number, image in enumerate(Image.objects.order_by("id")[:100]):
    image.latest_tag = "v1.1.0"
    image.pushed_at = NOW - timedelta(minutes=number)
    image.save()
for number, user in enumerate(users * 2):
    AuditEvent.objects.create(
        at=NOW - timedelta(minutes=number), account_id=account.pk, actor_kind="person", actor_id=1,
        actor="listing@example.com", address="192.0.2.7", action="grant.changed", object_kind="grant",
        object_id=str(number), object=f"{user.description} on bench/big", before={"level": "read"},
        after={"level": "write"},
    )  # fmt: skip
for _run in range(2):
    SyncRun.objects.create(state="done", started_at=NOW, finished_at=NOW)
