"""Grants that nothing was done with in the days that the access ledger keeps."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from namespaces.access import Action
from namespaces.models.ledger import LedgerEntry, LedgerTotal

# A ledger that began so much later still tells of the whole time: nobody works on some days.
SLACK = timedelta(days=7)


def unused_grants(now: datetime) -> Q:
    """Return what is true of live grants with which no pull or push was reported, and no deletion asked for.

    Only of those that were given before the first day that is kept; of none where the ledger is younger than that.
    """
    since = now - timedelta(days=settings.ACCESS_LEDGER_DAYS)
    uses = LedgerTotal.objects.filter(
        Q(confirmed_count__gt=0) | Q(action=Action.DELETE),
        user=OuterRef("user"),
        namespace=OuterRef("namespace"),
    )
    recorded = LedgerEntry.objects.filter(day__lte=(since + SLACK).astimezone(UTC).date())
    return (
        Q(Q(expires_at=None) | Q(expires_at__gt=now), created_at__lt=since)
        & Q(Exists(recorded))
        & ~Q(Q(image_name="") & Q(Exists(uses)))
        & ~Q(Exists(uses.filter(image_name=OuterRef("image_name"))))
    )
