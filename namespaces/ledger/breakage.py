"""What a change of access would break: the granted requests of the last weeks, replayed against the changed rules.

The caller has checked that the person may see the account. Users of other accounts are counted, and never named.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import Account, RegistryUser
from namespaces import selectors
from namespaces.access import Action, Level
from namespaces.ledger.replay import (
    AccessChange,
    AccessFacts,
    GrantKey,
    NamespaceFacts,
    PastUse,
    UserFacts,
    refused,
)
from namespaces.models import SERVED, Grant, LedgerTotal, Namespace

LISTED = 20
IMAGES_NAMED = 3


@dataclass(frozen=True, slots=True)
class RefusedCaller:
    """A caller that would lose something. `user` is None of anonymous callers, and of users of other accounts.

    `callers` is how many it stands for. `requests` are tokens whose use no event confirmed; `images` what it would lose
    as "team/api", the last used first. `last_at` is of a pull or push if there was one.
    """

    user: RegistryUser | None
    anonymous: bool
    callers: int
    pulls: int
    pushes: int
    requests: int
    images: Sequence[str]
    last_at: datetime

    @property
    def kind(self) -> str:
        """Return user, anonymous or other_accounts."""
        return "user" if self.user else "anonymous" if self.anonymous else "other_accounts"

    @property
    def confirmed(self) -> bool:
        return bool(self.pulls or self.pushes)

    @property
    def images_named(self) -> Sequence[str]:
        return self.images[:IMAGES_NAMED]

    @property
    def images_more(self) -> int:
        return max(len(self.images) - IMAGES_NAMED, 0)


@dataclass(frozen=True, slots=True)
class Breakage:
    """`refused` of the `callers` that were allowed in there in the last `days` would lose something.

    `confirmed` of these really pulled or pushed. `listed` are the first of them: those that did, the last one first.
    `starts_at` is when it begins; None is at once.
    """

    callers: int
    refused: int
    confirmed: int
    days: int
    listed: Sequence[RefusedCaller]
    starts_at: datetime | None = None

    @property
    def rest(self) -> int:
        return self.refused - sum(each.callers for each in self.listed)


def of_removed_grants(account: Account, grants: Iterable[Grant]) -> Breakage:
    return of_levels(account, [(grant, Level.NONE) for grant in grants])


def of_levels(account: Account, levels: Iterable[tuple[Grant, Level]]) -> Breakage:
    """Return what breaks when each grant gets its level; with NONE it is removed. One that has ended gives nothing."""
    now = timezone.now()
    changed = {key_of(grant): level for grant, level in levels if grant.is_live(now)}
    return of_change(account, AccessChange(levels=changed))


def key_of(grant: Grant) -> GrantKey:
    return GrantKey(grant.user_id, grant.namespace_id, grant.image_name)


def of_blocked_user(user: RegistryUser) -> Breakage:
    """Return what breaks when it is disabled or deleted."""
    return of_change(user.account, AccessChange(users=frozenset({user.pk})))


def of_private(namespace: Namespace) -> Breakage:
    return of_change(namespace.account, AccessChange(private=frozenset({namespace.pk})))


def of_deleted(namespace: Namespace) -> Breakage:
    return of_change(namespace.account, AccessChange(deleted=frozenset({namespace.pk})))


def of_closed(account: Account) -> Breakage:
    return of_change(account, AccessChange(closed=frozenset({account.pk})))


def of_ended_grant(grant: Grant, ends_at: datetime | None) -> Breakage:
    """Return what breaks at its new end; nothing where that is not earlier than the present one."""
    levels = {key_of(grant): Level.NONE} if is_earlier(ends_at, grant.expires_at) else {}
    return of_change(grant.namespace.account, AccessChange(levels=levels), starts_at=ends_at)


def of_ended_user(user: RegistryUser, ends_at: datetime | None) -> Breakage:
    """Return what breaks at its new expiry; nothing where that is not earlier than the present one."""
    ended = frozenset({user.pk} if is_earlier(ends_at, user.expires_at) else ())
    return of_change(user.account, AccessChange(users=ended), starts_at=ends_at)


def is_earlier(ends_at: datetime | None, before: datetime | None) -> bool:
    """Return whether an end is set or brought forward. None is never."""
    return ends_at is not None and (before is None or ends_at < before)


def of_change(account: Account, change: AccessChange, *, starts_at: datetime | None = None) -> Breakage:
    """Return what the change breaks, in at most four statements. `starts_at` is when it takes effect, None at once."""
    replay = lost_by(change, at=starts_at)
    lines = _lines(replay, account)
    return Breakage(
        callers=len({use.user for use in replay.uses}),
        refused=len({use.user for use in replay.refused}),
        confirmed=len({use.user for use in replay.refused if use.confirmed_count}),
        days=settings.ACCESS_LEDGER_DAYS,
        listed=lines[:LISTED],
        starts_at=starts_at,
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """What the change may touch, and what it refuses of that; users by id, and the names of namespaces."""

    uses: Sequence[PastUse]
    refused: Sequence[PastUse]
    users: Mapping[int, RegistryUser]
    names: Mapping[int, str]


def lost_by(change: AccessChange, *, at: datetime | None = None) -> Replay:
    """Judge as at `at`, when other permissions may have ended by themselves; None is now."""
    uses = _uses(change)
    users = RegistryUser.objects.select_related("account").in_bulk(
        {use.user for use in uses if use.user is not None}
    )
    facts, names = _facts(uses, users.values(), at or timezone.now())
    return Replay(uses, refused(uses, facts, change), users, names)


def _uses(change: AccessChange) -> list[PastUse]:
    """Return all that the change may touch, whichever password was given."""
    namespaces = change.private | change.deleted
    of_grants = Q(
        user__in={key.user for key in change.levels}, namespace__in={key.namespace for key in change.levels}
    )
    touched = of_grants | Q(user__in=change.users) | Q(namespace__in=namespaces)
    if change.closed:  # then the rest of the change lies in what is closed
        touched |= Q(user__in=RegistryUser.objects.filter(account__in=change.closed).order_by().values("pk"))
        touched |= Q(
            namespace__in=Namespace.objects.filter(account__in=change.closed).order_by().values("pk")
        )
    places = {(key.user, key.namespace) for key in change.levels}
    return [
        use
        for use in past_uses(LedgerTotal.objects.filter(touched))
        if change.closed
        or use.user in change.users
        or use.namespace in namespaces
        or (use.user, use.namespace) in places
    ]


def past_uses(rows: QuerySet[LedgerTotal]) -> list[PastUse]:
    """Return one for each caller, image and action, whichever password was given."""
    grouped = rows.order_by().values_list("user_id", "namespace_id", "image_name", "action")
    totals = grouped.annotate(Sum("count"), Sum("confirmed_count"), Max("last_at"), Max("confirmed_at"))
    return [
        PastUse(user, namespace, image, Action(action), count, confirmed, confirmed_at or last_at)
        for user, namespace, image, action, count, confirmed, last_at, confirmed_at in totals
    ]


def _facts(
    uses: Collection[PastUse], users: Collection[RegistryUser], now: datetime
) -> tuple[AccessFacts, dict[int, str]]:
    """Return what decides at `now`, and namespace id → name."""
    namespaces = Namespace.objects.filter(SERVED, pk__in={use.namespace for use in uses}).order_by()
    rows = list(namespaces.values_list("pk", "name", "account_id", "public"))
    grants = Grant.objects.live(now).filter(
        user__in={user.pk for user in users}, namespace__in=[pk for pk, *_rest in rows]
    )
    given = grants.order_by().values_list("user_id", "namespace_id", "image_name", "level")
    facts = AccessFacts(
        users={user.pk: UserFacts(user.account_id, selectors.user_status_of(user, now)) for user in users},
        namespaces={pk: NamespaceFacts(account, public) for pk, _name, account, public in rows},
        grants={GrantKey(user, namespace, image): Level(level) for user, namespace, image, level in given},
    )
    return facts, {pk: name for pk, name, *_rest in rows}


def _lines(replay: Replay, account: Account) -> list[RefusedCaller]:
    """Return one for each of the account's users, one for anonymous callers, and one for the users of others."""
    groups: dict[object, list[PastUse]] = defaultdict(list)
    for use in sorted(replay.refused, key=lambda use: (use.confirmed_count > 0, use.last_at), reverse=True):
        theirs = use.user is not None and replay.users[use.user].account_id != account.pk
        groups["others" if theirs else use.user].append(use)
    lines = [
        _line(uses, None if group == "others" else replay.users.get(uses[0].user or 0), replay.names)
        for group, uses in groups.items()
    ]
    return sorted(lines, key=lambda line: (line.confirmed, line.last_at), reverse=True)


def _line(uses: Sequence[PastUse], user: RegistryUser | None, names: Mapping[int, str]) -> RefusedCaller:
    return RefusedCaller(
        user=user,
        anonymous=uses[0].user is None,
        callers=len({use.user for use in uses}),
        pulls=sum(use.confirmed_count for use in uses if use.action is Action.PULL),
        pushes=sum(use.confirmed_count for use in uses if use.action is Action.PUSH),
        requests=sum(use.count for use in uses if not use.confirmed_count),
        images=list(dict.fromkeys(f"{names[use.namespace]}/{use.image_name}" for use in uses)),
        last_at=uses[0].last_at,
    )
