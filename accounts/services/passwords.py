"""Passwords of a user: at most two work, and rotation leaves no moment without one that does.

Whoever changes one holds the user's lock. The older of two may retire by itself, the newest never.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import credentials, expiry, notices
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import RegistryUser, Secret, TrustPolicy
from accounts.peppers import peppers
from accounts.principal import Principal
from accounts.services import password_rules
from accounts.services.user_records import lock, record

LIVE_MOST = 2
ENDED_KEPT = 5  # of each user, so that pages and the token server can say that it ended
UNUSED_DAYS_MAX = 365


@transaction.atomic
def rotate(
    *, by: Principal, user: RegistryUser, retires_at: datetime | None = None, unused_days: int | None = None
) -> str:
    """Add a second password; the first goes on working, and ends as `retire` says. Raise Conflict while two work."""
    lock(user)
    old = live(user)
    _refuse_third(old)
    password = _second(by, user)
    if retires_at or unused_days is not None:
        for each in old:
            retire(by=by, secret=each, retires_at=retires_at, unused_days=unused_days)
    return password


@transaction.atomic
def rotate_own(*, by: Principal, user: RegistryUser, secret_id: int) -> tuple[Secret, str]:
    """Return row and text of a second password, for a user that gave the password of the row `secret_id`.

    It ends no later than the one that was given. Raise Forbidden where the account does not allow it, Conflict while
    two work, NotFound if the given one has just ended.
    """
    if not user.account.self_rotation:
        raise Forbidden(
            _(
                "Users of this account cannot rotate their own password. An owner can allow it in the settings."
            )
        )
    lock(user)
    old = live(user)
    given = next((each for each in old if each.pk == secret_id), None)
    if not given:
        raise NotFound
    _refuse_third(old)
    password = _second(by, user, ends_with=given)
    made = live(user)[0]
    notices.tell_managers(user.account, "self_rotated", {"user": user, "secret": made, "address": by.address})
    return made, password


@transaction.atomic
def replace(*, by: Principal, user: RegistryUser) -> str:
    """Make a new password; every older one stops at once, and so do those that jobs got for an ID token."""
    lock(user)
    ended = live(user)
    _end(ended + _swapped(user))
    _forget_ended(user)
    password = add(user)
    record(
        by, AuditAction.USER_PASSWORD_REPLACED, user,
        before={"password": ", ".join(each.shown for each in ended)},
        after={"password": _shown(password)},
    )  # fmt: skip
    return password


@transaction.atomic
def end(*, by: Principal, secret: Secret) -> None:
    """End one. Raise Conflict for the only one of a user without trust policies, NotFound for one that has ended.

    If the newer one goes, the older does not retire any more: it is the only one. What a job got for an ID token can
    always end.
    """
    secret, others = _locked(secret)
    if not (others or secret.policy_id or TrustPolicy.objects.enabled().filter(user=secret.user).exists()):
        raise Conflict.on(
            "", _("This is the only password that works. Rotate it first, or disable the user.")
        )
    _end_one(secret, others)
    record(by, AuditAction.USER_PASSWORD_ENDED, secret.user, before={"password": secret.shown})


@transaction.atomic
def end_leaked(*, by: Principal, secret: Secret) -> bool:
    """End one that leaked, the only one that works too. False for one that has ended."""
    try:
        secret, others = _locked(secret)
    except NotFound:
        return False
    _end_one(secret, others)
    record(by, AuditAction.USER_PASSWORD_LEAKED, secret.user, before={"password": secret.shown})
    return True


@transaction.atomic
def retire(
    *, by: Principal, secret: Secret, retires_at: datetime | None = None, unused_days: int | None = None
) -> Secret:
    """Say when the older of two ends: at a moment, after so many days without use, or (neither) when somebody ends it.

    Days count from the last use, and from now at the earliest. Raise Invalid, Conflict for the newest, NotFound.
    """
    secret, others = _locked(secret)
    if secret.policy_id or not others or secret.pk > max(each.pk for each in others):
        raise Conflict.on(
            "", _("Only the older of two passwords can end by itself: the other one must still work.")
        )
    before, now = _facts(secret), timezone.now()
    if retires_at and unused_days:
        raise Invalid.on("retire_after_unused_days", _("Select a moment or a number of days, not both."))
    if unused_days is not None and not 1 <= unused_days <= UNUSED_DAYS_MAX:
        raise Invalid.on(
            "retire_after_unused_days", _("Select 1 to %(most)s days.") % {"most": UNUSED_DAYS_MAX}
        )
    if retires_at:
        expiry.check(retires_at, field="retires_at")
        if retires_at <= now:
            raise Invalid.on("retires_at", _("Select a time in the future, or end the password instead."))
    if unused_days != secret.retire_after_unused_days or not unused_days:
        secret.retires_at = now + timedelta(days=unused_days) if unused_days else retires_at
        secret.retire_after_unused_days = unused_days
    if _facts(secret) != before:
        secret.save(update_fields=["retires_at", "retire_after_unused_days"])
        after = _facts(secret) | {"password": secret.shown}
        record(by, AuditAction.USER_PASSWORD_RETIRED, secret.user, before=before, after=after)
    return secret


def live(user: RegistryUser) -> list[Secret]:
    """Return the passwords that work, the newest first; none that a job got for an ID token."""
    return list(Secret.objects.live(timezone.now()).unswapped().filter(user=user).order_by("-pk"))


def _swapped(user: RegistryUser) -> list[Secret]:
    return list(Secret.objects.live(timezone.now()).filter(user=user, policy__isnull=False))


def add(user: RegistryUser, *, ends_with: Secret | None = None) -> str:
    """Return a new password of the user, whose row is locked or new; it ends as the account wants, or sooner."""
    ends = [
        password_rules.latest_end(user.account, timezone.now()),
        ends_with.last_end if ends_with else None,
    ]
    password, pepper = credentials.make(credentials.USER_PREFIX), peppers()[0]
    Secret.objects.create(
        user=user,
        digest=credentials.digest(password, pepper),
        pepper_version=pepper.version,
        hint=credentials.hint(password),
        expires_at=min(filter(None, ends), default=None),
    )
    return password


def _refuse_third(working: list[Secret]) -> None:
    if len(working) >= LIVE_MOST:
        raise Conflict.on(
            "", _("Two passwords of this user work already. End the old one before you rotate again.")
        )


def _second(by: Principal, user: RegistryUser, ends_with: Secret | None = None) -> str:
    _forget_ended(user)
    password = add(user, ends_with=ends_with)
    record(by, AuditAction.USER_PASSWORD_ROTATED, user, after={"password": _shown(password)})
    return password


def _shown(password: str) -> str:
    return Secret(hint=credentials.hint(password)).shown


def _locked(secret: Secret) -> tuple[Secret, list[Secret]]:
    """Lock the user. Return the password as it is now, and the others that work. Raise NotFound if it has ended."""
    user = secret.user
    lock(user)
    working = live(user)
    for each in working + (_swapped(user) if secret.policy_id else []):
        if each.pk == secret.pk:
            each.user = user
            return each, [other for other in working if other.pk != each.pk]
    raise NotFound


def _end_one(secret: Secret, others: list[Secret]) -> None:
    _end([secret])
    if secret.policy_id:
        return
    kept = Secret.objects.filter(pk__in=[each.pk for each in others])
    kept.update(retires_at=None, retire_after_unused_days=None)


def _end(secrets: list[Secret]) -> None:
    Secret.objects.filter(pk__in=[each.pk for each in secrets]).update(expires_at=timezone.now())


def _forget_ended(user: RegistryUser) -> None:
    ended = Secret.objects.unswapped().filter(user=user).exclude(pk__in=[each.pk for each in live(user)])
    old = list(ended.order_by("-pk").values_list("pk", flat=True)[ENDED_KEPT:])
    Secret.objects.filter(pk__in=old).delete()


def _facts(secret: Secret) -> dict[str, object]:
    return {
        "retires_at": secret.retires_at.isoformat() if secret.retires_at else None,
        "retire_after_unused_days": secret.retire_after_unused_days,
    }
