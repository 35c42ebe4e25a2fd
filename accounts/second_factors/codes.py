"""Codes that a person types: of an authenticator app, or a recovery code. Each works once.

That a code was used is in its row, not in the cache: there are several processes, and the cache may be each one's own.
"""

from collections.abc import Iterable
from typing import Final

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.db import transaction

from accounts.common.encryption import Undecryptable
from accounts.models import Person
from accounts.second_factors import secrets

LAST_STEP: Final = "last_step"  # in Authenticator.data: the step of 30 s that the last code was of


@transaction.atomic
def accept(person: Person, code: str) -> Authenticator | None:
    """Spend the code. Return whose it was; None for a wrong one, and for one that was used, or an older one."""
    rows = (
        Authenticator.objects.select_for_update()
        .filter(user=person)
        .exclude(type=Authenticator.Type.WEBAUTHN)
    )
    for row in rows.order_by("-type"):  # totp, recovery_codes
        if _accepts(row, code):
            return row
    return None


def left(person: Person) -> int:
    """Return how many recovery codes still work; none do whose key is lost."""
    row = Authenticator.objects.filter(user=person, type=Authenticator.Type.RECOVERY_CODES).first()
    try:
        return len(row.wrap().get_unused_codes()) if row else 0
    except Undecryptable:
        return 0


def step_of(secret: str, code: str, *, after: int = 0) -> int | None:
    """Return the step of time that this code of an app is of, if it is about now and later than `after`."""
    steps: Iterable[int] = totp.yield_hotp_counters_from_time()
    for step in steps:
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if step > after and compare_user_code(actual=code, expected=expected):
            return step
    return None


def _accepts(row: Authenticator, code: str) -> bool:
    if row.type != Authenticator.Type.TOTP:
        return bool(row.wrap().validate_code(code))
    step = step_of(secrets.decrypt(row.data["secret"]), code, after=row.data.get(LAST_STEP, 0))
    if not step:
        return False
    row.data[LAST_STEP] = step
    row.save(update_fields=["data"])
    return True
