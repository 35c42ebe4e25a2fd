"""Users of an account: what `docker login` uses. Their names and passwords are made here, never chosen."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, credentials, expiry, limits, names
from accounts.audit_actions import AuditAction
from accounts.common.errors import Invalid, NotFound
from accounts.models import Account, RegistryUser, Secret
from accounts.peppers import peppers
from accounts.principal import Principal


@transaction.atomic
def create(
    *, by: Principal, account: Account, description: str, expires_at: datetime | None
) -> tuple[RegistryUser, str]:
    """(user, password). The password exists nowhere else: only its digest is stored."""
    description, expires_at = _description(description), _expiry(expires_at)
    limits.make_room(limits.USERS, account, field="description")
    user = RegistryUser.objects.create(
        account=account, username=names.make_username(), description=description, expires_at=expires_at
    )
    password = _add_secret(user)
    audit.record(by=by, action=AuditAction.USER_CREATED, kind="user", id=user.username, label=_label(user),
                 account=account, after=_facts(user))  # fmt: skip
    return user, password


@transaction.atomic
def edit(*, by: Principal, user: RegistryUser, description: str, expires_at: datetime | None) -> RegistryUser:
    _lock(user)
    before = _facts(user)
    user.description = _description(description)
    if expires_at != user.expires_at:
        user.expires_at = _expiry(expires_at)
    if _facts(user) != before:
        user.save(update_fields=["description", "expires_at"])
        audit.record(by=by, action=AuditAction.USER_EDITED, kind="user", id=user.username, label=_label(user),
                     account=user.account, before=before, after=_facts(user))  # fmt: skip
    return user


@transaction.atomic
def disable(*, by: Principal, user: RegistryUser) -> RegistryUser:
    """No new tokens from now on; tokens already issued die within TOKEN_TTL_SECONDS."""
    _lock(user)
    if not user.disabled_at:
        user.disabled_at = timezone.now()
        user.save(update_fields=["disabled_at"])
        audit.record(by=by, action=AuditAction.USER_DISABLED, kind="user", id=user.username, label=_label(user),
                     account=user.account)  # fmt: skip
    return user


@transaction.atomic
def enable(*, by: Principal, user: RegistryUser) -> RegistryUser:
    _lock(user)
    if user.disabled_at:
        user.disabled_at = None
        user.save(update_fields=["disabled_at"])
        audit.record(by=by, action=AuditAction.USER_ENABLED, kind="user", id=user.username, label=_label(user),
                     account=user.account)  # fmt: skip
    return user


@transaction.atomic
def replace_password(*, by: Principal, user: RegistryUser) -> str:
    """Make a new password; every older one stops at once."""
    _lock(user)
    Secret.objects.filter(user=user).delete()
    password = _add_secret(user)
    audit.record(by=by, action=AuditAction.USER_PASSWORD_REPLACED, kind="user", id=user.username, label=_label(user),
                 account=user.account)  # fmt: skip
    return password


@transaction.atomic
def delete(*, by: Principal, user: RegistryUser) -> None:
    """Delete the user, its passwords and its grants. The name is never given out again."""
    _lock(user)
    audit.record(by=by, action=AuditAction.USER_DELETED, kind="user", id=user.username, label=_label(user),
                 account=user.account, before=_facts(user))  # fmt: skip
    user.delete()


def _lock(user: RegistryUser) -> None:
    """Lock the row. Raise NotFound for one that somebody else deleted meanwhile."""
    if not RegistryUser.objects.select_for_update().filter(pk=user.pk).first():
        raise NotFound


def _add_secret(user: RegistryUser) -> str:
    password, pepper = credentials.make(credentials.USER_PREFIX), peppers()[0]
    Secret.objects.create(
        user=user,
        digest=credentials.digest(password, pepper),
        pepper_version=pepper.version,
        hint=credentials.hint(password),
    )
    return password


def _description(text: str) -> str:
    text = names.clean_title(text)
    if not text:
        raise Invalid.on("description", _("Say what this user is for, as in “CI deploy”."))
    if len(text) > names.DESCRIPTION_MAX:
        raise Invalid.on(
            "description", _("Use at most %(most)s characters.") % {"most": names.DESCRIPTION_MAX}
        )
    return text


def _expiry(moment: datetime | None) -> datetime | None:
    if moment and moment <= timezone.now():
        raise Invalid.on("expires_at", _("Select a time in the future, or disable the user instead."))
    if moment:
        expiry.check(moment)
    return moment


def _facts(user: RegistryUser) -> dict[str, str | None]:
    expires = user.expires_at.isoformat() if user.expires_at else None
    return {"description": user.description, "expires_at": expires}


def _label(user: RegistryUser) -> str:
    return f"{user.description} ({user.username})"
