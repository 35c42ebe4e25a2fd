"""Denied requests, each with what would allow the same request now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from accounts.models import Denial, RegistryUser
from namespaces import access, permissions, selectors
from namespaces.access import Action, UserStatus
from namespaces.models import SERVED, Grant, Namespace
from namespaces.names import is_repository, split
from namespaces.smallest_grant import DeniedRepository, Remedy, RemedyKind, remedy, sign_in_remedy

_ACTIONS = {action.value: action for action in Action}


def with_current_decision(rows: Sequence[Any]) -> Sequence[Any]:
    """Judge each Denial by the rows as they are now. At most two statements.

    Set `current_remedy`; `allowed_now`, True where the same request would succeed; and `own_repository`, True where it
    is in a namespace of the user's account.
    """
    current = _CurrentAccess(rows)
    for row in rows:
        row.current_remedy = current.remedy(row)
        row.own_repository = current.is_own(row)
        row.allowed_now = row.current_remedy.kind is RemedyKind.NOTHING
    return rows


def current_remedy(row: Denial) -> Remedy:
    return _CurrentAccess([row]).remedy(row)


def requested_action(row: Denial) -> Action | None:
    """Return what has to be allowed; None where the name can be no repository's. A mount pulls."""
    return Action.PULL if row.is_mount else _ACTIONS.get(row.action)


class _CurrentAccess:
    """What `access.decide` needs for any of these denials, loaded at once."""

    def __init__(self, rows: Iterable[Denial]) -> None:
        self._now = timezone.now()
        names = {
            split(name)[0] for row in rows for name in (row.repository, *_denied_repositories(row)) if name
        }
        namespaces = Namespace.objects.filter(SERVED, name__in=names)
        self._namespaces = {namespace.name: namespace for namespace in namespaces}
        self._grants: dict[tuple[int, int], list[Grant]] = defaultdict(list)
        users = {row.user_id for row in rows}
        for grant in Grant.objects.filter(user__in=users, namespace__in=self._namespaces.values()):
            self._grants[grant.user_id, grant.namespace_id].append(grant)

    def remedy(self, row: Denial) -> Remedy:
        user_status = selectors.user_status_of(row.user, self._now)
        if row.is_id_token or row.reason in access.PULL_REQUEST_REASONS:
            return sign_in_remedy(user_status, id_token=True)
        if not row.repository:
            return sign_in_remedy(user_status, wrong_password=row.reason not in access.BLOCKED_REASONS)
        names = _denied_repositories(row)
        if not all(map(is_repository, names)):
            names = []
        repositories = [self._repository(row.user, user_status, name) for name in names]
        return remedy(requested_action(row), user_status, repositories)

    def is_own(self, row: Denial) -> bool:
        namespace = self._namespaces.get(row.repository.partition("/")[0])
        return bool(namespace and namespace.account_id == row.user.account_id)

    def _repository(self, user: RegistryUser, user_status: UserStatus, name: str) -> DeniedRepository:
        namespace_name, image_name = split(name)
        namespace = self._namespaces.get(namespace_name)
        own = bool(namespace and namespace.account_id == user.account_id)
        met = permissions.as_users_meet(namespace, account_id=user.account_id)
        grants = self._grants[user.pk, met.pk] if met else []
        reaching = [grant for grant in grants if grant.image_name in {"", image_name}]
        context = permissions.access_context(reaching, met, user_status, self._now)
        return DeniedRepository(namespace_name, image_name, context, own)


def _denied_repositories(row: Denial) -> list[str]:
    """Return the repositories that were denied; of a mount those whose layers were to be reused."""
    if row.is_mount:
        return row.source_names
    return [row.repository] if row.repository else []
