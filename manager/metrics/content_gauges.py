"""What there is in the installation, and what of it ends or fails."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from accounts.models import ApiToken, RegistryUser, Secret
from manager.metrics.gauge import Gauge, one, seconds
from namespaces.models import SERVED, Namespace, Webhook
from namespaces.usage import newest

DAY = timedelta(days=1)
# As the indexes say it: SQLite takes them for nothing else, though it follows from what is asked.
_HAS_END = ~Q(expires_at=None)
_ABOUT = {
    "user": "Enabled registry users of open accounts",
    "password": "Passwords of such users",
    "api_token": "API tokens of enabled people",
}


def credentials(now: datetime) -> Iterator[Gauge]:
    within = {"7d": now + 7 * DAY, "30d": now + 30 * DAY}
    kinds: dict[str, QuerySet[Any]] = {
        "user": RegistryUser.objects.filter(disabled_at=None, account__closed_at=None),
        "password": Secret.objects.filter(policy=None, user__disabled_at=None, user__account__closed_at=None),
        "api_token": ApiToken.objects.filter(person__is_active=True),
    }
    for kind, rows in kinds.items():
        ending = rows.filter(_HAS_END, expires_at__gt=now, expires_at__lte=within["30d"])
        first = ending.order_by("expires_at").values("pk", "expires_at")[: settings.METRICS_COUNTED_MAX]
        found = first.aggregate(
            **{
                f"within_{name}": Count("pk", filter=Q(expires_at__lte=until))
                for name, until in within.items()
            }
        )
        yield Gauge(
            f"registry_manager_{kind}s_expiring",
            f"{_ABOUT[kind]} that end so soon, {settings.METRICS_COUNTED_MAX:,} at most.",
            {name: found[f"within_{name}"] for name in within},
            "within",
        )


def webhooks(now: datetime) -> Iterator[Gauge]:
    enabled, failing = Q(enabled=True), ~Q(last_problem="")
    states = {
        "working": enabled & ~failing,
        "failing": enabled & failing,
        "disabled": ~enabled & ~Q(disabled_reason="") & Q(disabled_at__gt=now - DAY),
    }
    columns = ("pk", "enabled", "last_problem", "disabled_reason", "disabled_at")
    # Those of other accounts are not tried again, so that what failed last would fail for ever.
    rows = Webhook.objects.filter(SERVED).order_by("-id").values(*columns)[: settings.METRICS_COUNTED_MAX]
    yield Gauge(
        "registry_manager_webhooks",
        f"Webhooks of open accounts by their last attempt; disabled: by the panel, within a day. Of the "
        f"newest {settings.METRICS_COUNTED_MAX:,} at most.",
        rows.aggregate(**{state: Count("pk", filter=which) for state, which in states.items()}),
        "state",
    )


def usage() -> Iterator[Gauge]:
    yield one("registry_manager_namespaces", "Namespaces.", Namespace.objects.count())
    found = newest(account=None)
    yield Gauge(
        "registry_manager_stored_bytes",
        "Bytes on the registry's disk, as last counted, each blob once.",
        {
            "tagged": found.tagged_bytes,
            "untagged": found.untagged_bytes,
            "uncollected": found.uncollected_bytes,
        },
        "kind",
    )
    yield one(
        "registry_manager_stored_bytes_counted_timestamp_seconds",
        "When they were last counted. 0: never.",
        seconds(found.counted_at),
    )
