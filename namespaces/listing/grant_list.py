"""Lists of permissions in any order: those in a namespace, those of one user, and who reaches an image."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import DateTimeField, F, Max, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Lower

from accounts.common.pagination import Page, paginate, paginate_prepared
from accounts.models import RegistryUser
from namespaces import selectors
from namespaces.models import Grant, Namespace

# Moments and not NULL, so that a list can be paged by them.
_NEVER_USED = Value(datetime(1970, 1, 1, tzinfo=UTC), DateTimeField())
_NEVER_ENDS = Value(datetime(9999, 1, 1, tzinfo=UTC), DateTimeField())

_KEYS: Mapping[str, Combinable] = {
    "user": Lower("user__description"),
    "on": F("image_name"),
    "level": F("level"),
    "ends": Coalesce("expires_at", _NEVER_ENDS),
    "used": Coalesce("user__last_used_at", _NEVER_USED),
    "granted": F("created_at"),
}


def _both_ways(*names: str) -> list[str]:
    return [f"{way}{name}" for name in names for way in ("", "-")]


OF_NAMESPACE = _both_ways(*_KEYS)
OF_USER = _both_ways("on", "level", "ends", "granted")
OF_IMAGE = _both_ways("user", "level", "through", "used", "granted")
# How each is sorted when nobody says how.
USUAL_OF_GRANTS, USUAL_OF_IMAGE = "on", "user"


def sort_grants(grants: QuerySet[Grant], sort: str) -> QuerySet[Grant]:
    """Return them in an order that can be paged. `sort` is one of OF_NAMESPACE."""
    way, name = _parted(sort)
    return grants.annotate(sort_key=_KEYS[name]).order_by(f"{way}sort_key", f"{way}id")


def grants_of_user(user: RegistryUser, sort: str) -> QuerySet[Grant]:
    """Return its grants. `sort` is one of OF_USER; equal ones by their names."""
    way, name = _parted(sort)
    names = ("namespace__name", "image_name", "id")
    if name == "on":
        return selectors.grants_of(user).order_by(*(f"{way}{each}" for each in names))
    return selectors.grants_of(user).annotate(sort_key=_KEYS[name]).order_by(f"{way}sort_key", *names)


def users_with_access(
    namespace: Namespace, image_name: str, *, sort: str, now: datetime, cursor: str, query: dict[str, str]
) -> Page[RegistryUser]:
    """Return a page of those who reach an image. `sort` is one of OF_IMAGE. Raise Invalid on "page".

    A level is what the user's live grants give; that the user is disabled or expired changes no order.
    """
    chosen: dict[str, Any] = {"namespace": namespace.pk, "image_name": image_name}
    if sort == USUAL_OF_IMAGE:
        return paginate_prepared(selectors.users_with_access, cursor=cursor, query=query, **chosen)
    way, name = _parted(sort)
    users = selectors.users_with_access.build(**chosen)
    users = users.annotate(sort_key=_key_of_user(name, namespace, image_name, now))
    return paginate(users.order_by(f"{way}sort_key", f"{way}id"), cursor=cursor, query=query)


def _key_of_user(name: str, namespace: Namespace, image_name: str, now: datetime) -> Combinable:
    grants = selectors.grants_reaching(namespace.pk, image_name)
    live = Q(expires_at=None) | Q(expires_at__gt=now)
    keys: dict[str, Combinable] = {
        "user": F("description"),
        "level": Coalesce(_of_grants(grants, Max("level", filter=live)), 0),
        "through": _of_grants(grants, Max("image_name")),
        "granted": _of_grants(grants, Max("created_at")),
        "used": Coalesce("last_used_at", _NEVER_USED),
    }
    return keys[name]


def _of_grants(grants: QuerySet[Grant], value: Max) -> Subquery:
    return Subquery(grants.order_by().values("user").annotate(value=value).values("value"))


def _parted(sort: str) -> tuple[str, str]:
    """Return ("-", "level") of "-level"."""
    name = sort.removeprefix("-")
    return sort[: -len(name)], name
