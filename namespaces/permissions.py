"""Loads a namespace's rows through the asking person's membership: what the person may not see raises NotFound."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import F, Q, QuerySet

from accounts import permissions
from accounts.common.errors import NotFound
from accounts.common.prepared_queries import prepared
from accounts.models import Account, Denial
from accounts.principal import Principal
from accounts.roles import Permission
from namespaces import access
from namespaces.grant_text import GrantTarget
from namespaces.models import Grant, Image, Manifest, Namespace, Tag, Webhook, WebhookDelivery
from namespaces.names import image_problem, split


def namespace(
    by: Principal, handle: str, name: str, permission: Permission = Permission.ACCOUNT_VIEW
) -> Namespace:
    return _namespace(permissions.account(by, handle, permission), name)


def _namespace(account: Account, name: str) -> Namespace:
    found = Namespace.objects.filter(account=account, name=name).first()
    if not found:
        raise NotFound
    found.account = account  # with the person's role
    return found


def image(
    by: Principal,
    handle: str,
    namespace_name: str,
    name: str,
    permission: Permission = Permission.ACCOUNT_VIEW,
) -> Image:
    found = _image(by, handle, namespace_name, name, permission)
    if not found:
        permissions.account(by, handle, permission)  # a member whose role does not allow it is told so
        raise NotFound
    return found


def image_or_planned(
    by: Principal,
    handle: str,
    namespace_name: str,
    name: str,
    permission: Permission = Permission.ACCOUNT_VIEW,
    *,
    rows: Callable[[], QuerySet[Image]] = Image.objects.all,
) -> Image:
    """As `image`, but return an unsaved Image for a valid name that is not pushed yet, so that it can be granted.

    `rows`: all images, with whatever else the caller wants to know of this one.
    """
    found = _image(by, handle, namespace_name, name, permission, rows=rows)
    if found:
        return found
    owner = _namespace(permissions.account(by, handle, permission), namespace_name)
    if image_problem(name, namespace=owner.name):
        raise NotFound
    return Image(namespace=owner, name=name)


def _image(
    by: Principal,
    handle: str,
    namespace_name: str,
    name: str,
    permission: Permission,
    *,
    rows: Callable[[], QuerySet[Image]] = Image.objects.all,
) -> Image | None:
    """Return the image and, in the same statement, who asks for it."""
    found = _images(rows)(person=by.person_in(handle), handle=handle, namespace=namespace_name, name=name)
    image: Image | None = next(iter(found), None)
    if image:
        permissions.in_role(by, image.namespace.account, found[0].role, permission)
    return image


@cache
def _images(rows: Callable[[], QuerySet[Image]]) -> Callable[..., list[Any]]:
    """Return what finds one of `rows`, with `.role`."""

    @prepared
    def found(*, person: int, handle: str, namespace: str, name: str) -> QuerySet[Any, Any]:
        images = rows().select_related("namespace__account")
        images = images.filter(
            **permissions.membership_filter(person, handle, "namespace__account"),
            namespace__name=namespace,
            name=name,
        )
        return images.annotate(role=F("namespace__account__members__role")).order_by("pk")[:1]

    return found


def tag(
    by: Principal,
    handle: str,
    namespace_name: str,
    image_name: str,
    name: str,
    *,
    rows: Callable[[], QuerySet[Tag]] = Tag.objects.all,
) -> Tag:
    """`rows`: all tags, with whatever else the caller wants to know of this one."""
    found = _tags(rows)(
        person=by.person_in(handle), handle=handle, namespace=namespace_name, image=image_name, name=name
    )
    if not found:
        raise NotFound
    tag: Tag = found[0]
    permissions.in_role(by, tag.image.namespace.account, found[0].role, Permission.ACCOUNT_VIEW)
    return tag


@cache
def _tags(rows: Callable[[], QuerySet[Tag]]) -> Callable[..., list[Any]]:
    """Return what finds one of `rows`, with `.role`."""

    @prepared
    def found(*, person: int, handle: str, namespace: str, image: str, name: str) -> QuerySet[Any, Any]:
        tags = rows().select_related("manifest", "image__namespace__account")
        tags = tags.filter(
            **permissions.membership_filter(person, handle, "image__namespace__account"),
            image__namespace__name=namespace,
            image__name=image,
            name=name,
        )
        return tags.annotate(role=F("image__namespace__account__members__role")).order_by("pk")[:1]

    return found


def manifest(
    by: Principal, handle: str, namespace_name: str, image_name: str, digest: str
) -> tuple[Image, Manifest]:
    """Return the image and its manifest. The digest of another image's manifest raises NotFound."""
    owner = image(by, handle, namespace_name, image_name)
    found = (
        Manifest.objects.filter(digest=digest)
        .filter(Q(repository_manifests__image=owner) | Q(tags__image=owner))
        .first()
    )
    if not found:
        raise NotFound
    return owner, found


def image_of_repository(by: Principal, repository: str) -> Image:
    """Return the image called `namespace/name`, in whichever of the person's accounts it is."""
    namespace_name, image_name = split(repository)
    handle = Namespace.objects.filter(name=namespace_name).values_list("account__handle", flat=True).first()
    if not handle:
        raise NotFound
    return image(by, handle, namespace_name, image_name)


def grant(by: Principal, handle: str, id: int, permission: Permission = Permission.GRANTS_MANAGE) -> Grant:  # noqa: A002
    account = permissions.account(by, handle, permission)
    found = (
        Grant.objects.select_related("user", "namespace__account")
        .filter(namespace__account=account, pk=id)
        .first()
    )
    if not found:
        raise NotFound
    return found


def grants(by: Principal, handle: str, ids: list[int]) -> list[Grant]:
    """Return these grants of the account. One that is not there raises NotFound for all."""
    account = permissions.account(by, handle, Permission.GRANTS_MANAGE)
    rows = Grant.objects.select_related("user", "namespace__account")
    found = list(rows.filter(namespace__account=account, pk__in=ids).order_by("pk"))
    if len(found) != len(ids):
        raise NotFound
    return found


def denial(
    by: Principal,
    handle: str,
    id: int,  # noqa: A002
    permission: Permission = Permission.GRANTS_MANAGE,
) -> Denial:
    account = permissions.account(by, handle, permission)
    found = Denial.objects.select_related("user__account").filter(user__account=account, pk=id).first()
    if not found:
        raise NotFound
    found.user.account = account  # with the person's role
    return found


def webhook(by: Principal, handle: str, id: int) -> Webhook:  # noqa: A002
    account = permissions.account(by, handle, Permission.WEBHOOKS_MANAGE)
    found = Webhook.objects.select_related("namespace").filter(account=account, pk=id).first()
    if not found:
        raise NotFound
    found.account = account  # with the person's role
    return found


def webhook_delivery(by: Principal, handle: str, webhook_id: int, id: int) -> WebhookDelivery:  # noqa: A002
    owner = webhook(by, handle, webhook_id)
    found = WebhookDelivery.objects.filter(webhook=owner, pk=id).first()
    if not found:
        raise NotFound
    found.webhook = owner
    return found


def targets(by: Principal, handle: str, names: Sequence[str]) -> list[GrantTarget]:
    """Return namespaces and images of the account that may be granted, pushed already or not."""
    account = permissions.account(by, handle, Permission.GRANTS_MANAGE)
    parts = [name.partition("/") for name in names]
    rows = Namespace.objects.filter(account=account, name__in={first for first, _slash, _image in parts})
    found = {row.name: row for row in rows}
    if any(first not in found for first, _slash, _image in parts):
        raise NotFound
    for row in found.values():
        row.account = account  # with the person's role
    return [GrantTarget(found[first], image_name) for first, _slash, image_name in parts]


def as_users_meet(namespace: Namespace | None, *, account_id: int) -> Namespace | None:
    """Return the namespace if it is this account's own or public; for its users there is no other."""
    return namespace if namespace and (namespace.public or namespace.account_id == account_id) else None


def access_context(
    grants: list[Grant], namespace: Namespace | None, user_status: access.UserStatus, now: datetime
) -> access.AccessContext:
    """Return the input of `access.decide`.

    `grants` are one user's, on one repository; ended ones count for nothing. `namespace` is None where the user meets
    none (`as_users_meet`).
    """
    if not namespace:
        return access.AccessContext(user_status, namespace_exists=False)
    return access.AccessContext(
        user_status=user_status,
        public=namespace.public,
        grants=tuple(
            access.GrantedLevel(_grant_source(each.image_name), access.Level(each.level))
            for each in grants
            if each.is_live(now)
        ),
    )


def _grant_source(image_name: str) -> access.GrantSource:
    return access.GrantSource.IMAGE if image_name else access.GrantSource.NAMESPACE
