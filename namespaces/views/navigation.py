"""What the pages of one namespace, and of one image, have around them: reference, sub-tabs, commands."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.roles import Permission
from accounts.views.button_permissions import denial_reason
from namespaces import selectors
from namespaces.models import Grant, Image, Namespace


def namespace_context(namespace: Namespace, current: str) -> dict[str, Any]:
    at = [namespace.account.handle, namespace.name]
    pages = [
        ("images", _("Images"), "namespace"),
        ("permissions", _("Permissions"), "permissions"),
        ("retention", _("Rules"), "retention-rules"),
        ("settings", _("Settings"), "namespace-settings"),
    ]
    return {
        "account": namespace.account,
        "namespace": namespace,
        "reference": _reference(namespace),
        "subtabs": [_subtab(text, reverse(url, args=at), key == current) for key, text, url in pages],
    }


def image_context(image: Image, current: str) -> dict[str, Any]:
    namespace = image.namespace
    at = [namespace.account.handle, namespace.name, image.name]
    pages = [
        ("tags", _("Tags"), "image"),
        ("access", _("Access"), "image-access"),
    ]
    if image.pk:
        pages.append(("history", _("History"), "image-history"))
    return {
        "account": namespace.account,
        "namespace": namespace,
        "image": image,
        "reference": _reference(namespace, image=image.name),
        "subtabs": [_subtab(text, reverse(url, args=at), key == current) for key, text, url in pages],
    }


def tag_reference(image: Image, tag: str) -> dict[str, Any]:
    return _reference(image.namespace, image=image.name, tag=tag)


def manifest_reference(image: Image, digest: str) -> dict[str, Any]:
    return _reference(image.namespace, image=image.name, digest=digest)


def nothing_pushed(
    account: Account, namespace: Namespace | None = None, image_name: str = ""
) -> dict[str, str]:
    """For a list without images: the commands of a first push, or a way to make a user that may."""
    grant = selectors.first_push_grant(account, namespace=namespace, image_name=image_name)
    where = f"{namespace.name}/{image_name}".rstrip("/") if namespace else ""
    return {
        "push": _first_push(grant, image_name or "nginx") if grant else "",
        "where": where,
        "why_no_users": denial_reason(account, Permission.USERS_MANAGE),
    }


def _first_push(grant: Grant, image: str) -> str:
    name = grant.image_name or image
    target = f"{settings.REGISTRY_HOST}/{grant.namespace.name}/{name}"
    login = f"docker login {settings.REGISTRY_HOST} -u {grant.user.username}"
    return f"{login}\ndocker tag {name.rpartition('/')[2]} {target}\ndocker push {target}"


def _reference(namespace: Namespace, *, image: str = "", tag: str = "", digest: str = "") -> dict[str, Any]:
    """Return the image reference itself as breadcrumb; the last part is where we are."""
    handle = namespace.account.handle
    parts = [
        {"text": settings.REGISTRY_HOST, "url": reverse("images", args=[handle]), "before": ""},
        {"text": namespace.name, "url": reverse("namespace", args=[handle, namespace.name]), "before": "/"},
    ]
    if image:
        parts.append(
            {"text": image, "url": reverse("image", args=[handle, namespace.name, image]), "before": "/"}
        )
    if tag:
        parts.append({"text": tag, "url": "", "before": ":"})
    if digest:
        parts.append({"text": digest, "url": "", "before": "@"})
    parts[-1]["url"] = ""
    return {"parts": parts, "text": "".join(f"{part['before']}{part['text']}" for part in parts)}


def _subtab(text: str, url: str, current: bool) -> dict[str, Any]:
    return {"text": text, "url": url, "current": current}
