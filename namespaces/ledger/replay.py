"""Replays granted requests against changed rules: which of them would be refused. PURE; `access.decide` judges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from namespaces.access import AccessContext, Action, GrantedLevel, GrantSource, Level, UserStatus, decide


class GrantKey(NamedTuple):
    """Where a grant is: ids of user and namespace, and an image's name, "" for the whole namespace."""

    user: int
    namespace: int
    image_name: str


@dataclass(frozen=True, slots=True)
class PastUse:
    """What one caller did with one image lately. `user` is None for anonymous callers.

    `count` is of tokens that allowed it, `confirmed_count` of pulls or pushes that events confirmed.
    """

    user: int | None
    namespace: int
    image_name: str
    action: Action
    count: int
    confirmed_count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class UserFacts:
    account: int
    status: UserStatus


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    account: int
    public: bool


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """Users, namespaces and live grants, by their ids. What is not in them does not exist."""

    users: Mapping[int, UserFacts]
    namespaces: Mapping[int, NamespaceFacts]
    grants: Mapping[GrantKey, Level]

    def allows(self, use: PastUse) -> bool:
        return bool(decide(self._context(use), use.action))

    def _context(self, use: PastUse) -> AccessContext:
        user = self.users.get(use.user) if use.user is not None else UserFacts(0, UserStatus.ANONYMOUS)
        if user is None:  # deleted: it cannot sign in
            user = UserFacts(0, UserStatus.DISABLED)
        namespace = self.namespaces.get(use.namespace)
        if namespace is None or not (namespace.public or namespace.account == user.account):
            return AccessContext(user.status, namespace_exists=False)
        return AccessContext(user.status, public=namespace.public, grants=self._grants(use))

    def _grants(self, use: PastUse) -> tuple[GrantedLevel, ...]:
        if use.user is None:
            return ()
        places = ((GrantSource.IMAGE, use.image_name), (GrantSource.NAMESPACE, ""))
        levels = [
            (source, self.grants.get(GrantKey(use.user, use.namespace, image))) for source, image in places
        ]
        return tuple(GrantedLevel(source, level) for source, level in levels if level)


@dataclass(frozen=True, slots=True)
class AccessChange:
    """What somebody is about to do. `levels`: of grants that change, NONE of one that goes.

    `users` are disabled or deleted, or end, `private` and `deleted` are namespaces, `closed` are accounts.
    """

    levels: Mapping[GrantKey, Level] = field(default_factory=dict)
    users: frozenset[int] = frozenset()
    private: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()

    def applied_to(self, facts: AccessFacts) -> AccessFacts:
        grants = {key: level for key, level in {**facts.grants, **self.levels}.items() if level}
        users = {
            id: replace(user, status=UserStatus.DISABLED)
            if id in self.users or user.account in self.closed
            else user
            for id, user in facts.users.items()  # noqa: A001
        }
        namespaces = {
            id: replace(namespace, public=namespace.public and id not in self.private)
            for id, namespace in facts.namespaces.items()  # noqa: A001
            if id not in self.deleted and namespace.account not in self.closed
        }
        return AccessFacts(users, namespaces, grants)


def refused(uses: Iterable[PastUse], facts: AccessFacts, change: AccessChange) -> list[PastUse]:
    """Return what is allowed now, and would not be after the change."""
    after = change.applied_to(facts)
    return [use for use in uses if facts.allows(use) and not after.allows(use)]
