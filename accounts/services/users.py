"""Users of an account: what `docker login` uses. Their names and passwords are made here, never chosen."""

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import expiry, limits, names
from accounts.audit_actions import AuditAction
from accounts.common.errors import Invalid
from accounts.models import Account, RegistryUser
from accounts.principal import Principal
from accounts.services import password_rules, passwords
from accounts.services.user_records import lock, record


@transaction.atomic
def create(
    *,
    by: Principal,
    account: Account,
    description: str,
    expires_at: datetime | None,
    with_password: bool = True,
) -> tuple[RegistryUser, str]:
    """(user, password). The password exists nowhere else: only its digest is stored.

    A user without one ("") signs in by the ID tokens that its trust policies allow, or gets a password later.
    """
    description, expires_at = _description(description), _expiry(expires_at, account)
    limits.make_room(limits.USERS, account, field="description")
    user = RegistryUser.objects.create(
        account=account, username=names.make_username(), description=description, expires_at=expires_at
    )
    password = passwords.add(user) if with_password else ""
    record(by, AuditAction.USER_CREATED, user, after=_facts(user))
    return user, password


class UserChange(TypedDict, total=False):
    description: str
    expires_at: datetime | None  # None: never


@transaction.atomic
def edit(*, by: Principal, user: RegistryUser, **change: Unpack[UserChange]) -> RegistryUser:
    """Change what is given; the rest stays, whoever changed it meanwhile. Raise Invalid, NotFound."""
    lock(user)
    before = _facts(user)
    if "description" in change:
        user.description = _description(change["description"])
    if "expires_at" in change and change["expires_at"] != user.expires_at:
        user.expires_at = _expiry(change["expires_at"], user.account)
    if _facts(user) != before:
        user.save(update_fields=["description", "expires_at"])
        record(by, AuditAction.USER_EDITED, user, before=before, after=_facts(user))
    return user


@transaction.atomic
def disable(*, by: Principal, user: RegistryUser) -> RegistryUser:
    """No new tokens from now on; tokens already issued die within TOKEN_TTL_SECONDS."""
    lock(user)
    if not user.disabled_at:
        user.disabled_at = timezone.now()
        user.save(update_fields=["disabled_at"])
        record(by, AuditAction.USER_DISABLED, user)
    return user


@transaction.atomic
def enable(*, by: Principal, user: RegistryUser) -> RegistryUser:
    lock(user)
    if user.disabled_at:
        user.disabled_at = None
        user.save(update_fields=["disabled_at"])
        record(by, AuditAction.USER_ENABLED, user)
    return user


@transaction.atomic
def delete(*, by: Principal, user: RegistryUser) -> None:
    """Delete the user, its passwords and its grants. The name is never given out again."""
    lock(user)
    record(by, AuditAction.USER_DELETED, user, before=_facts(user))
    user.delete()


def _description(text: str) -> str:
    text = names.clean_title(text)
    if not text:
        raise Invalid.on("description", _("Say what this user is for, as in “CI deploy”."))
    if len(text) > names.DESCRIPTION_MAX:
        raise Invalid.on(
            "description", _("Use at most %(most)s characters.") % {"most": names.DESCRIPTION_MAX}
        )
    return text


def _expiry(moment: datetime | None, account: Account) -> datetime | None:
    if moment and moment <= timezone.now():
        raise Invalid.on("expires_at", _("Select a time in the future, or disable the user instead."))
    if moment:
        expiry.check(moment)
    password_rules.check_end(account, moment)
    return moment


def _facts(user: RegistryUser) -> dict[str, str | None]:
    expires = user.expires_at.isoformat() if user.expires_at else None
    return {"description": user.description, "expires_at": expires}
