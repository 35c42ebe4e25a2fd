"""Totals of each account, for the cards on the home page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, OuterRef, Subquery

from accounts.models import Account
from namespaces.models import HAS_CONTENT, Image, Namespace, Usage


@dataclass(frozen=True, slots=True)
class AccountStats:
    namespaces: int = 0
    images: int = 0
    stored_bytes: int = 0  # as last measured; a shared layer counts once
    pushed_at: datetime | None = None


def account_stats(accounts: Iterable[Account]) -> dict[int, AccountStats]:
    """Return the totals by account id, without accounts that have no namespace. Two statements."""
    ids = [account.pk for account in accounts]
    newest = Usage.objects.filter(account_id=OuterRef("account_id"), namespace_id=0)
    namespaces = (
        Namespace.objects.filter(account__in=ids)
        .values("account_id")
        .annotate(n=Count("id"), stored_bytes=Subquery(newest.order_by("-day").values("stored_bytes")[:1]))
        .order_by()
    )
    images = (
        Image.objects.filter(HAS_CONTENT, namespace__account__in=ids)
        .values("namespace__account_id")
        .annotate(n=Count("id"), pushed_at=Max("pushed_at"))
        .order_by()
    )
    image_totals = {row["namespace__account_id"]: (row["n"], row["pushed_at"]) for row in images}
    stats = {}
    for row in namespaces:
        count, pushed_at = image_totals.get(row["account_id"], (0, None))
        stats[row["account_id"]] = AccountStats(row["n"], count, row["stored_bytes"] or 0, pushed_at)
    return stats
