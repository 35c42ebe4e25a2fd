"""Users that soon cannot sign in any more: they expire, or the last password that works ends."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import RegistryUser, Secret


def password_ends(now: datetime, until: datetime) -> Q:
    """Return what finds users that have a password that works, and none that works after `until`."""
    live = Secret.objects.live(now).unswapped().filter(user=OuterRef("pk")).order_by()
    return Q(Exists(live)) & ~Q(Exists(live.lasting(until)))


def expiring(now: datetime, until: datetime) -> Q:
    """Return what finds users that work now, and not after `until`."""
    alive = Q(disabled_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    return alive & (Q(expires_at__lte=until) | password_ends(now, until))


def with_password_end(
    users: QuerySet[RegistryUser], now: datetime, until: datetime
) -> QuerySet[RegistryUser]:
    """Add `.password_ends_soon`."""
    return users.annotate(password_ends_soon=password_ends(now, until))  # type: ignore[no-redef]
