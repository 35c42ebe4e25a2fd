"""Denied requests, each with whether it would be allowed now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from accounts.models import Denial, RegistryUser
from namespaces import access, permissions, selectors
from namespaces.access import AccessContext, Action
from namespaces.models import Grant, Namespace
from namespaces.names import is_repository, split

_ACTIONS = {action.value: action for action in Action}


def with_current_decision(rows: Sequence[Any]) -> Sequence[Any]:
    """Set `allowed_now` on each Denial, True where the same request would succeed now. At most two statements."""
    current = _CurrentAccess(rows)
    for row in rows:
        row.allowed_now = current.allows(row)
    return rows


class _CurrentAccess:
    """What `access.decide` needs for any of these denials, loaded at once."""

    def __init__(self, rows: Iterable[Denial]) -> None:
        self._now = timezone.now()
        names = {split(name)[0] for row in rows for name in _denied_repositories(row)}
        namespaces = Namespace.objects.filter(name__in=names, account__closed_at=None)
        self._namespaces = {namespace.name: namespace for namespace in namespaces}
        self._grants: dict[tuple[int, int], list[Grant]] = defaultdict(list)
        users = {row.user_id for row in rows}
        for grant in Grant.objects.filter(user__in=users, namespace__in=self._namespaces.values()):
            self._grants[grant.user_id, grant.namespace_id].append(grant)

    def allows(self, row: Denial) -> bool:
        if not row.repository:
            return self._login_succeeds(row)
        action = Action.PULL if row.is_mount else _ACTIONS.get(row.action)
        repositories = _denied_repositories(row)
        return action is not None and bool(repositories) and all(
            is_repository(each) and access.decide(self._context(row.user, each), action) for each in repositories
        )  # fmt: skip

    def _login_succeeds(self, row: Denial) -> bool:
        """Return True when the user was blocked and is active again. A wrong password stays wrong."""
        ended = row.reason in access.BLOCKED_REASONS
        return ended and selectors.user_status_of(row.user, self._now) is access.UserStatus.ACTIVE

    def _context(self, user: RegistryUser, repository: str) -> AccessContext:
        user_status = selectors.user_status_of(user, self._now)
        namespace_name, image_name = split(repository)
        namespace = self._namespaces.get(namespace_name)
        if not namespace or not (namespace.public or namespace.account_id == user.account_id):
            return AccessContext(user_status, namespace_exists=False)
        grants = self._grants[user.pk, namespace.pk]
        return permissions.access_context(
            [grant for grant in grants if grant.image_name in {"", image_name}],
            namespace,
            user_status,
            self._now,
        )


def _denied_repositories(row: Denial) -> list[str]:
    """Return the repositories that were denied; of a mount those whose layers were to be reused."""
    if row.is_mount:
        return row.source_names
    return [row.repository] if row.repository else []
