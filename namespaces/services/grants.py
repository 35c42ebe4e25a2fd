"""Giving, changing and taking permissions."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid
from accounts.common.translation import translate
from accounts.limits import make_room
from accounts.models import RegistryUser
from accounts.principal import Principal
from namespaces import names
from namespaces.access import Level
from namespaces.limits import GRANTS
from namespaces.models import Grant, Namespace


def give(
    *, by: Principal, namespace: Namespace, user: RegistryUser | None, level: str, image_name: str = ""
) -> Grant:
    """Give a level on the namespace, or on one image of it, pushed already or not. Raise Invalid, Conflict."""
    if user is None or user.account_id != namespace.account_id:
        raise Invalid.on("user", _("Select a user of this account."))
    problem = names.image_problem(image_name, namespace=namespace.name) if image_name else None
    if problem:
        raise Invalid.on("image_name", translate(problem))
    try:
        with transaction.atomic():
            value = _level(level)
            make_room(GRANTS, namespace.account, field="user")
            grant = Grant.objects.create(user=user, namespace=namespace, image_name=image_name, level=value)
            _record(by, AuditAction.GRANT_CREATED, grant, after=level)
            return grant
    except IntegrityError:
        raise Conflict.on("user", _("This user has a permission here already; change that one.")) from None


@transaction.atomic
def change(*, by: Principal, grant: Grant, level: str) -> Grant:
    before, grant.level = grant.word, _level(level)
    if level != before:
        grant.save(update_fields=["level"])
        _record(by, AuditAction.GRANT_CHANGED, grant, before=before, after=level)
    return grant


@transaction.atomic
def change_levels(*, by: Principal, levels: Sequence[tuple[Grant, str]]) -> None:
    """Change all of them or none. Raise Invalid on `level`."""
    for grant, level in levels:
        change(by=by, grant=grant, level=level)


@transaction.atomic
def remove(*, by: Principal, grant: Grant) -> None:
    """Remove it. This takes effect with the next token; tokens already issued die within TOKEN_TTL_SECONDS."""
    _record(by, AuditAction.GRANT_DELETED, grant, before=grant.word)
    grant.delete()


def _level(word: str) -> Level:
    try:
        return Level.of(word)
    except KeyError:
        raise Invalid.on("level", _("Select read, write or admin.")) from None


def _record(
    by: Principal, action: AuditAction, grant: Grant, *, before: str | None = None, after: str | None = None
) -> None:
    """`before` and `after`: levels, as words."""
    label = f"{grant.user.description} ({grant.user.username}) on {grant.target}"
    audit.record(
        by=by, action=action, kind="grant", id=grant.pk, label=label, account=grant.namespace.account,
        before={"level": before} if before else None, after={"level": after} if after else None,
    )  # fmt: skip
