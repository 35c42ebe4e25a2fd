"""The list of an account's users: in any order, and those in one state."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import DateTimeField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower

from accounts import selectors
from accounts.common.expiring import EXPIRES_SOON
from accounts.common.pagination import Page, paginate
from accounts.expiring_users import expiring, with_password_end
from accounts.models import Account, RegistryUser
from accounts.services.password_rules import latest_end

# Moments and not NULL, so that the list can be paged by them.
_NEVER_USED = Value(datetime(1970, 1, 1, tzinfo=UTC), DateTimeField())
_NEVER_EXPIRES = Value(datetime(9999, 1, 1, tzinfo=UTC), DateTimeField())

NEWEST = "-created"
_KEYS = {
    "created": F("created_at"),
    "name": Lower("description"),
    "used": Coalesce("last_used_at", _NEVER_USED),
    "expires": Coalesce("expires_at", _NEVER_EXPIRES),
}
SORTS = [f"{way}{name}" for name in _KEYS for way in ("", "-")]
STATES = ["unused", "idle", "expiring", "expired", "overlong", "disabled"]


def user_page(
    account: Account, *, search: str, state: str, sort: str, now: datetime, cursor: str, query: dict[str, str]
) -> Page[RegistryUser]:
    """Return a page of the users in one of STATES, or in any for "". Raise Invalid on "page"."""
    if (search, state, sort) == ("", "", NEWEST):
        return selectors.user_page(account, cursor=cursor, query=query)
    found = find_users(account, search=search, state=state, sort=sort, now=now)
    return paginate(found, cursor=cursor, query=query)


def find_users(
    account: Account, *, search: str, state: str, sort: str, now: datetime
) -> QuerySet[RegistryUser]:
    """Return the users in an order that can be paged. `sort` is one of SORTS."""
    found = with_password_end(selectors.users_of(account, search=search), now, now + EXPIRES_SOON)
    if state:
        found = found.filter(_in_state(state, account, now))
    if sort == NEWEST:
        return found
    way, name = sort[: -len(sort.lstrip("-"))], sort.lstrip("-")
    return found.annotate(sort_key=_KEYS[name]).order_by(f"{way}sort_key", f"{way}id")


def _in_state(state: str, account: Account, now: datetime) -> Q:
    enabled = Q(disabled_at=None)
    return {
        "unused": Q(last_used_at=None),
        "idle": enabled & _idle(now - timedelta(days=settings.ACCESS_LEDGER_DAYS)),
        "expiring": expiring(now, now + EXPIRES_SOON),
        "overlong": enabled & _overlong(account, now),
        "expired": enabled & Q(expires_at__lte=now),
        "disabled": ~enabled,
    }[state]


def _idle(since: datetime) -> Q:
    return Q(last_used_at__lt=since) | Q(last_used_at=None, created_at__lt=since)


def _overlong(account: Account, now: datetime) -> Q:
    latest = latest_end(account, now)
    return Q(expires_at=None) | Q(expires_at__gt=latest) if latest else Q(pk=None)


def is_overlong(user: RegistryUser, now: datetime) -> bool:
    """Return whether it lives longer than its account allows by now; nothing is cut for that."""
    latest = latest_end(user.account, now)
    return latest is not None and (user.expires_at is None or user.expires_at > latest)
