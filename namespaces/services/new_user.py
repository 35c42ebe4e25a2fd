"""A user that can do something from its first minute: made together with its permissions, or not at all."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Account, RegistryUser
from accounts.principal import Principal
from accounts.services import users
from namespaces.grant_text import GrantTarget
from namespaces.services import grants


@transaction.atomic
def create(
    *, by: Principal, account: Account, description: str, expires_at: datetime | None,
    level: str, targets: Sequence[GrantTarget], like: RegistryUser | None = None, with_password: bool = True,
) -> tuple[RegistryUser, str]:  # fmt: skip
    """(user, password), as `accounts.services.users.create`, with `level` on each of `targets`, and what `like` has."""
    user, password = users.create(
        by=by, account=account, description=description, expires_at=expires_at, with_password=with_password
    )
    for each in targets:
        grants.give(by=by, namespace=each.namespace, user=user, level=level, image_name=each.image_name)
    if like:
        grants.copy(by=by, source=like, to=user)
    return user, password
