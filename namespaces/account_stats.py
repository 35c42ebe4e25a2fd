"""What accounts hold, for the cards that a person chooses among: a few statements, however many accounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, OuterRef, Subquery

from accounts.models import Account
from namespaces.models import HOLDS, Image, Namespace, Usage


@dataclass(frozen=True, slots=True)
class Overview:
    namespaces: int = 0
    images: int = 0
    stored_bytes: int = 0  # when last measured, shared layers counted once
    pushed_at: datetime | None = None


def of_accounts(accounts: Iterable[Account]) -> dict[int, Overview]:
    """By the account's id; an account without a namespace is not in it."""
    ids = [account.pk for account in accounts]
    newest = Usage.objects.filter(account_id=OuterRef("account_id"), namespace_id=0)
    namespaces = (
        Namespace.objects.filter(account__in=ids)
        .values("account_id")
        .annotate(n=Count("id"), stored_bytes=Subquery(newest.order_by("-day").values("stored_bytes")[:1]))
        .order_by()
    )
    images = (
        Image.objects.filter(HOLDS, namespace__account__in=ids)
        .values("namespace__account_id")
        .annotate(n=Count("id"), pushed_at=Max("pushed_at"))
        .order_by()
    )
    held = {row["namespace__account_id"]: (row["n"], row["pushed_at"]) for row in images}
    found = {}
    for row in namespaces:
        count, pushed_at = held.get(row["account_id"], (0, None))
        found[row["account_id"]] = Overview(row["n"], count, row["stored_bytes"] or 0, pushed_at)
    return found
