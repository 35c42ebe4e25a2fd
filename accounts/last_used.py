"""Last use of users, and of each of their passwords and trust policies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from accounts.common.client_ip import Origin
from accounts.models import DropCounter, Secret
from accounts.write_behind import Batch, UserNote

MOST = 10_000
EACH = 24  # passwords and trust policies of one user

# One statement of each kind for all notes: the driver sends them together.
_SET = "SET last_used_at = %s, last_used_from = %s, last_used_with = %s"
_UNLESS_LATER = "(last_used_at IS NULL OR last_used_at < %s)"
_OF_USER = f"UPDATE accounts_registryuser {_SET} WHERE username = %s AND {_UNLESS_LATER}"
_OF_POLICY = f"UPDATE accounts_trustpolicy {_SET} WHERE id = %s AND {_UNLESS_LATER}"
_OF_SECRET = f"UPDATE accounts_secret {_SET} WHERE id = %s AND {_UNLESS_LATER}"


@dataclass(frozen=True, slots=True)
class Use(UserNote):
    """`secret_id` is 0 of an ID token; `policy_id` is 0 of a password that was not swapped for one."""

    origin: Origin
    secret_id: int
    policy_id: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        return (self.username, str(self.secret_id), str(self.policy_id))


def _write(notes: list[Use]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_OF_USER, [_values(use.origin, use.username) for use in notes])
        cursor.executemany(_OF_SECRET, [_values(use.origin, use.secret_id) for use in notes if use.secret_id])
        cursor.executemany(_OF_POLICY, [_values(use.origin, use.policy_id) for use in notes if use.policy_id])
    _postpone_retirement(use.secret_id for use in notes if use.secret_id)


def _values(origin: Origin, key: object) -> tuple[Any, ...]:
    moment = connection.ops.adapt_datetimefield_value(origin.at)
    return moment, origin.address, origin.client, key, moment


def _postpone_retirement(ids: Iterable[int]) -> None:
    """Of passwords that end once nobody has used them for some days; those few are read again."""
    for secret in Secret.objects.filter(pk__in=list(ids)).exclude(retire_after_unused_days=None):
        assert secret.last_used_at
        later = secret.last_used_at + timedelta(days=secret.retire_after_unused_days or 0)
        if secret.retires_at and secret.retires_at < later:
            Secret.objects.filter(pk=secret.pk).update(retires_at=later)


uses = Batch(DropCounter.Kind.USES, _write, most=MOST, each=EACH)
