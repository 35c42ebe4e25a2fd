"""What an operator looks at after the installation came out of a backup."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from accounts.access_denials import WRONG_PASSWORD
from accounts.models import ApiToken, Denial, RegistryUser, Secret
from namespaces.models import Grant
from registry_sync.models import Restoration

SHOWN_FOR: Final = timedelta(days=30)
ROWS_SHOWN: Final = 20
IN_USE: Final = timedelta(days=7)  # what was used so shortly before the backup would be used again


@dataclass(frozen=True)
class Ended:
    """What the clock ended between the backup and the restore: the first few, and how many in all."""

    users: list[RegistryUser]
    user_count: int
    passwords: list[Secret]
    password_count: int
    grants: list[Grant]
    grant_count: int


@dataclass(frozen=True)
class MayHaveEnded:
    """What works and may have been ended after the backup, as far as anything shows it: the first few, and how many.

    `replaced`: somebody uses a password of the user that the backup does not hold, so it is newer. `quiet_users` and
    `quiet_tokens` were in use when the backup was made, and were not used since the restore.
    """

    replaced: list[Denial]
    replaced_count: int
    quiet_users: list[RegistryUser]
    quiet_user_count: int
    quiet_tokens: list[ApiToken]
    quiet_token_count: int


def recent_restoration(now: datetime) -> Restoration | None:
    """Return the last one, while it is to be shown. One that lost nothing is not."""
    return Restoration.objects.filter(at__gt=now - SHOWN_FOR, moved=False).first()


def ended_since(row: Restoration) -> Ended:
    since = (row.backup_at, row.at)
    users = RegistryUser.objects.filter(expires_at__range=since, disabled_at=None).select_related("account")
    by_end = Secret.objects.filter(expires_at__range=since) | Secret.objects.filter(retires_at__range=since)
    passwords = by_end.unswapped().select_related("user__account")
    grants = Grant.objects.filter(expires_at__range=since).select_related("user__account", "namespace")
    return Ended(
        users=list(users.order_by("expires_at", "id")[:ROWS_SHOWN]),
        user_count=users.count(),
        passwords=list(passwords.order_by("user__username", "id")[:ROWS_SHOWN]),
        password_count=passwords.count(),
        grants=list(grants.order_by("expires_at", "id")[:ROWS_SHOWN]),
        grant_count=grants.count(),
    )


def may_have_ended(row: Restoration, now: datetime) -> MayHaveEnded:
    used_until = (row.backup_at - IN_USE, row.at)  # what was used since has a later moment
    works = Q(expires_at=None) | Q(expires_at__gt=now)
    replaced = Denial.objects.filter(
        last_at__gt=row.at, repository="", action="", reason=WRONG_PASSWORD, user__disabled_at=None
    ).select_related("user__account")
    users = RegistryUser.objects.filter(
        works, last_used_at__range=used_until, disabled_at=None, account__closed_at=None
    ).select_related("account")
    tokens = ApiToken.objects.filter(
        works, last_used_at__range=used_until, person__is_active=True
    ).select_related("person")
    return MayHaveEnded(
        replaced=list(replaced[:ROWS_SHOWN]),
        replaced_count=replaced.count(),
        quiet_users=list(users.order_by("-last_used_at", "-id")[:ROWS_SHOWN]),
        quiet_user_count=users.count(),
        quiet_tokens=list(tokens.order_by("-last_used_at", "-id")[:ROWS_SHOWN]),
        quiet_token_count=tokens.count(),
    )
