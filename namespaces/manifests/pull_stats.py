"""Who pulled a tag, as the account that owns it may see it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, OuterRef, QuerySet, Subquery, Sum

from accounts.common.prepared_queries import prepared
from accounts.models import Account, RegistryUser
from namespaces.models import Grant, Namespace, PullStats, Tag

SHOWN_MAX = 50


@dataclass(frozen=True)
class Puller:
    """A user that pulled or checked the tag. `user` is set for one of the account's own.

    A `foreign` user belongs to another account, as can be in a public namespace: its name, address and client are
    hidden.
    """

    user: RegistryUser | None
    username: str
    foreign: bool
    count: int
    last_at: datetime | None
    checks: int  # HEAD requests without a pull
    checked_at: datetime | None
    address: str
    client: str


@dataclass(frozen=True)
class DigestPulls:
    count: int
    last_at: datetime | None


def pullers_of(tag: Tag) -> list[Puller]:
    """Return the users that pulled the tag, the last first, then those that only checked it.

    At most SHOWN_MAX + 1, so that the caller can tell that there are more.
    """
    account = tag.image.namespace.account
    rows = _pulls_of(image=tag.image_id, tag=tag.name)
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


def digest_pulls(tag: Tag) -> DigestPulls:
    """Return the pulls by digest of what the tag points at now."""
    digests = {tag.manifest_id, *(each["digest"] for each in tag.manifest.platforms)}
    sums = _sums_of_digests(image=tag.image_id, digests=list(digests))
    return DigestPulls(*sums[0]) if sums else DigestPulls(0, None)


@prepared
def _pulls_of(*, image: int, tag: str) -> QuerySet[PullStats]:
    return PullStats.objects.filter(image=image, tag=tag).order_by("-last_at", "id")[: SHOWN_MAX + 1]


@prepared
def _sums_of_digests(*, image: int, digests: list[str]) -> QuerySet[PullStats, tuple[int, datetime]]:
    """One row, or none."""
    rows = PullStats.objects.filter(image=image, tag="", digest__in=digests, count__gt=0)
    sums = rows.order_by().values("image").annotate(sum=Sum("count"), last=Max("last_at"))
    return sums.values_list("sum", "last")


def last_anonymous_pull(namespace: Namespace) -> datetime | None:
    """Return when somebody last pulled from the namespace anonymously; None for never."""
    return _last(PullStats.objects.filter(image__namespace=namespace, username=""))


def last_pull_with(grant: Grant) -> datetime | None:
    """Return when the grant's user last pulled what the grant is on; None for never."""
    found = PullStats.objects.filter(username=grant.user.username, image__namespace=grant.namespace_id)
    return _last(found.filter(image__name=grant.image_name) if grant.image_name else found)


def _last(pulls: QuerySet[PullStats]) -> datetime | None:
    moment: datetime | None = pulls.filter(count__gt=0).aggregate(last=Max("last_at"))["last"]
    return moment


def foreign_names(usernames: set[str], *, public: bool) -> set[str]:
    """Return those of `usernames`, none of them the account's, that it may not see.

    In a private namespace a name without a user is that of a deleted user of the account, which may be shown.
    """
    if public or not usernames:
        return usernames
    return set(RegistryUser.objects.filter(username__in=usernames).values_list("username", flat=True))


def pusher_description() -> Subquery:
    """For `Tag.objects.annotate`: of the account's user who pushed the tag, None if unknown or deleted."""
    users = RegistryUser.objects.filter(
        account=OuterRef("image__namespace__account"), username=OuterRef("pushed_by")
    )
    return Subquery(users.order_by().values("description")[:1])


def users_by_name(account: Account, usernames: set[str]) -> dict[str, RegistryUser]:
    if not usernames:
        return {}
    found = RegistryUser.objects.select_related("account").filter(account=account, username__in=usernames)
    return {user.username: user for user in found}
