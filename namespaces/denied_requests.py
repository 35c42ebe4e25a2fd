"""What users were refused, beside what the rule of access says of it by now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from accounts.models import Denial, RegistryUser
from namespaces import access, permissions, selectors
from namespaces.access import Action, Facts
from namespaces.models import Grant, Namespace
from namespaces.names import is_repository, split

_ACTIONS = {action.value: action for action in Action}


def judged(rows: Sequence[Any]) -> Sequence[Any]:
    """Denials, each with `.allowed_now`: the same would be allowed today. Two statements, however many they are."""
    known = _Known(rows)
    for row in rows:
        row.allowed_now = known.allows(row)
    return rows


class _Known:
    """All that `access.decide` asks about any of these denials."""

    def __init__(self, rows: Iterable[Denial]) -> None:
        self._now = timezone.now()
        names = {split(name)[0] for row in rows for name in _images(row)}
        found = Namespace.objects.filter(name__in=names, account__closed_at=None)
        self._namespaces = {each.name: each for each in found}
        self._grants: dict[tuple[int, int], list[Grant]] = defaultdict(list)
        users = {row.user_id for row in rows}
        for grant in Grant.objects.filter(user__in=users, namespace__in=self._namespaces.values()):
            self._grants[grant.user_id, grant.namespace_id].append(grant)

    def allows(self, row: Denial) -> bool:
        if not row.repository:
            return self._signs_in(row)
        action = Action.PULL if row.is_mount else _ACTIONS.get(row.action)
        images = _images(row)
        return action is not None and bool(images) and all(
            is_repository(each) and access.decide(self._facts(row.user, each), action) for each in images
        )  # fmt: skip

    def _signs_in(self, row: Denial) -> bool:
        """Return True where it signs in by now: a wrong password stays wrong."""
        ended = row.reason in access.ENDED
        return ended and selectors.user_status_of(row.user, self._now) is access.UserStatus.ACTIVE

    def _facts(self, user: RegistryUser, repository: str) -> Facts:
        user_status = selectors.user_status_of(user, self._now)
        namespace_name, image_name = split(repository)
        namespace = self._namespaces.get(namespace_name)
        if not namespace or not (namespace.public or namespace.account_id == user.account_id):
            return Facts(user_status, namespace_exists=False)
        grants = self._grants[user.pk, namespace.pk]
        return permissions.facts(
            [each for each in grants if each.image_name in {"", image_name}], namespace, user_status
        )


def _images(row: Denial) -> list[str]:
    """Those that were refused."""
    if row.is_mount:
        return row.source_names
    return [row.repository] if row.repository else []
