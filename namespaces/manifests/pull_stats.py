"""Who pulled a tag, as an account may see it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, QuerySet, Sum

from accounts.models import Account, RegistryUser
from namespaces.models import Grant, Namespace, PullStats, Tag

SHOWN_MAX = 50


@dataclass(frozen=True)
class Puller:
    """A user that pulled it, or looked. `user` is one of the account's own.

    A `foreign` one, who can be there where a namespace is public, belongs to another account: neither its name nor
    where it sits is told.
    """

    user: RegistryUser | None
    username: str
    foreign: bool
    count: int
    last_at: datetime | None
    checks: int  # looked whether it has changed, and pulled nothing
    checked_at: datetime | None
    address: str
    client: str


@dataclass(frozen=True)
class ByDigest:
    count: int
    last_at: datetime | None


def pullers_of(tag: Tag) -> list[Puller]:
    """Return each user that pulled it by this name, the last one first; then those that only looked.

    One more than SHOWN_MAX where there are more.
    """
    account = tag.image.namespace.account
    rows = list(
        PullStats.objects.filter(image=tag.image, tag=tag.name).order_by("-last_at", "id")[: SHOWN_MAX + 1]
    )
    own = users_by_name(account, {row.username for row in rows})
    foreign = foreign_names({row.username for row in rows} - {*own, ""}, public=tag.image.namespace.public)
    return [
        Puller(
            user=own.get(row.username),
            username="" if row.username in foreign else row.username,
            foreign=row.username in foreign,
            count=row.count,
            last_at=row.pulled_at,
            checks=row.checks,
            checked_at=row.checked_at,
            address="" if row.username in foreign else row.address,
            client="" if row.username in foreign else row.client,
        )
        for row in rows
    ]


def by_digest(tag: Tag) -> ByDigest:
    """Of what the tag points at now, by those who did not ask for the tag."""
    digests = {tag.manifest_id, *(each["digest"] for each in tag.manifest.platforms)}
    rows = PullStats.objects.filter(image=tag.image, tag="", digest__in=digests, count__gt=0)
    found = rows.aggregate(count=Sum("count"), last_at=Max("last_at"))
    return ByDigest(found["count"] or 0, found["last_at"])


def anonymous_pull_of(namespace: Namespace) -> datetime | None:
    """When somebody last pulled from it without signing in."""
    return _last(PullStats.objects.filter(image__namespace=namespace, username=""))


def last_pull_by(grant: Grant) -> datetime | None:
    """When its user last pulled what it is about."""
    found = PullStats.objects.filter(username=grant.user.username, image__namespace=grant.namespace_id)
    return _last(found.filter(image__name=grant.image_name) if grant.image_name else found)


def _last(pulls: QuerySet[PullStats]) -> datetime | None:
    moment: datetime | None = pulls.filter(count__gt=0).aggregate(last=Max("last_at"))["last"]
    return moment


def foreign_names(usernames: set[str], *, public: bool) -> set[str]:
    """Those that the account may not read, of names that none of its own users has.

    In a private namespace a name that no account has is that of a user since deleted.
    """
    if public:
        return usernames
    return set(RegistryUser.objects.filter(username__in=usernames).values_list("username", flat=True))


def users_by_name(account: Account, usernames: set[str]) -> dict[str, RegistryUser]:
    found = RegistryUser.objects.select_related("account").filter(account=account, username__in=usernames)
    return {user.username: user for user in found}
