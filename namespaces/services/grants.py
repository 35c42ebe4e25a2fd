"""Giving, changing and taking permissions."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, expiry
from accounts.audit import Recorded
from accounts.audit_actions import AuditAction
from accounts.common.batches import BATCH
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.limits import make_room
from accounts.models import RegistryUser
from accounts.principal import Principal
from namespaces import names
from namespaces.access import Level
from namespaces.grant_text import GrantTarget
from namespaces.limits import GRANTS
from namespaces.models import Grant, Namespace


def give(
    *,
    by: Principal,
    namespace: Namespace,
    user: RegistryUser | None,
    level: str,
    image_name: str = "",
    expires_at: datetime | None = None,
) -> Grant:
    """Give a level on the namespace, or on one image of it, pushed already or not; None never ends.

    A grant that has ended is renewed. Raise Invalid, and Conflict where a live one is.
    """
    if user is None or user.account_id != namespace.account_id:
        raise Invalid.on("user", _("Select a user of this account."))
    problem = names.image_problem(image_name, namespace=namespace.name) if image_name else None
    if problem:
        raise Invalid.on("image_name", translate(problem))
    try:
        with transaction.atomic():
            value, ends = _level(level), _end(expires_at)
            on = {"user": user, "namespace": namespace, "image_name": image_name}
            there = Grant.objects.select_for_update().filter(**on).first()
            if there and not there.is_live(timezone.now()):
                return _save(by, there, value, ends)
            make_room(GRANTS, namespace.account, field="user")
            grant = Grant.objects.create(**on, level=value, expires_at=ends)
            _record(by, AuditAction.GRANT_CREATED, grant, after=_facts(grant))
            return grant
    except IntegrityError:
        raise Conflict.on("user", _("This user has a permission here already; change that one.")) from None


@transaction.atomic
def copy(*, by: Principal, source: RegistryUser, to: RegistryUser) -> list[Grant]:
    """Give `to` what `source` may do now, each until the same end. What `to` has on the same already stays.

    Raise Conflict when the account has no room for all of them; then none is given.
    """
    if source.account_id != to.account_id:
        raise Invalid.on("user", _("Select a user of this account."))
    now = timezone.now()
    has = {(each.namespace_id, each.image_name): each for each in Grant.objects.filter(user=to)}
    found = Grant.objects.live(now).filter(user=source).select_related("namespace__account").order_by("id")
    renewed, new = [], []
    for each in found:
        there = has.get((each.namespace_id, each.image_name))
        if there is None:
            new.append(_copied(each, to))
        elif not there.is_live(now):
            there.user, there.namespace = to, each.namespace
            renewed.append(change(by=by, grant=there, level=each.word, expires_at=each.expires_at))
    return renewed + _give_all(by, to, new)


def _copied(grant: Grant, to: RegistryUser) -> Grant:
    return Grant(
        user=to,
        namespace=grant.namespace,
        image_name=grant.image_name,
        level=grant.level,
        expires_at=grant.expires_at,
    )


def _give_all(by: Principal, to: RegistryUser, grants: Sequence[Grant]) -> list[Grant]:
    """Create them in few statements: an account may have ten thousand, and others wait meanwhile."""
    if not grants:
        return []
    make_room(GRANTS, to.account, field="user", number=len(grants))
    try:
        with transaction.atomic():
            made = Grant.objects.bulk_create(grants, batch_size=BATCH)
    except IntegrityError:
        raise Conflict.on("user", _("This user has a permission here already; change that one.")) from None
    things = (Recorded("grant", each.pk, _label(each), after=_facts(each)) for each in made)
    audit.record_all(by=by, action=AuditAction.GRANT_CREATED, account=to.account, things=things)
    return made


@transaction.atomic
def allow(
    *,
    by: Principal,
    user: RegistryUser,
    targets: Sequence[GrantTarget],
    level: str,
    expires_at: datetime | None = None,
) -> list[Grant]:
    """Give a level on each of `targets`, all or none; a grant that is there gets this level and end. Raise Invalid."""
    return [
        _give_or_change(by, user, target, level, expires_at)
        for target in sorted(targets, key=lambda each: each.name)
    ]


def _give_or_change(
    by: Principal, user: RegistryUser, target: GrantTarget, level: str, expires_at: datetime | None
) -> Grant:
    there = Grant.objects.filter(user=user, namespace=target.namespace, image_name=target.image_name).first()
    if there:
        there.user, there.namespace = user, target.namespace
        return change(by=by, grant=there, level=level, expires_at=expires_at)
    return give(
        by=by,
        namespace=target.namespace,
        user=user,
        level=level,
        image_name=target.image_name,
        expires_at=expires_at,
    )


class GrantChange(TypedDict, total=False):
    level: str
    expires_at: datetime | None  # None: never


@transaction.atomic
def change(*, by: Principal, grant: Grant, **change: Unpack[GrantChange]) -> Grant:
    """Change what is given; the rest stays, whoever changed it meanwhile. Raise Invalid, NotFound."""
    try:
        grant.refresh_from_db(fields=["level", "expires_at"], from_queryset=Grant.objects.select_for_update())
    except Grant.DoesNotExist:
        raise NotFound from None
    ends = change.get("expires_at", grant.expires_at)
    if ends != grant.expires_at:
        ends = _end(ends)
    return _save(by, grant, _level(change["level"]) if "level" in change else Level(grant.level), ends)


@transaction.atomic
def change_levels(*, by: Principal, levels: Sequence[tuple[Grant, str]]) -> None:
    """Change all of them or none. Raise Invalid on `level`."""
    for grant, level in levels:
        change(by=by, grant=grant, level=level)


@transaction.atomic
def remove(*, by: Principal, grant: Grant) -> None:
    """Remove it. This takes effect with the next token; tokens already issued die within TOKEN_TTL_SECONDS."""
    _record(by, AuditAction.GRANT_DELETED, grant, before=_facts(grant))
    grant.delete()


def _level(word: str) -> Level:
    try:
        return Level.of(word)
    except KeyError:
        raise Invalid.on("level", _("Select read, write or admin.")) from None


def _end(moment: datetime | None) -> datetime | None:
    if moment and moment <= timezone.now():
        raise Invalid.on("expires_at", _("Select a time in the future, or remove the permission instead."))
    if moment:
        expiry.check(moment)
    return moment


def _save(by: Principal, grant: Grant, level: Level, expires_at: datetime | None) -> Grant:
    before, now = _facts(grant), timezone.now()
    had_ended = not grant.is_live(now)
    grant.level, grant.expires_at = level, expires_at
    if had_ended and grant.is_live(now):
        grant.created_at = now  # given anew: it had no time to be used yet
    if _facts(grant) != before:
        grant.save(update_fields=["level", "expires_at", "created_at"])
        _record(by, AuditAction.GRANT_CHANGED, grant, before=before, after=_facts(grant))
    return grant


def _facts(grant: Grant) -> dict[str, str]:
    ends = {"expires_at": grant.expires_at.isoformat()} if grant.expires_at else {}
    return {"level": grant.word} | ends


def _record(
    by: Principal,
    action: AuditAction,
    grant: Grant,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(
        by=by, action=action, kind="grant", id=grant.pk, label=_label(grant), account=grant.namespace.account,
        before=before, after=after,
    )  # fmt: skip


def _label(grant: Grant) -> str:
    return f"{grant.user.description} ({grant.user.username}) on {grant.target}"
