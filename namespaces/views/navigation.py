"""What the pages of one namespace, of one image, and of access have around them: reference and sub-tabs."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.roles import Permission, has_permission
from namespaces.models import Image, Namespace


def namespace_context(namespace: Namespace, current: str) -> dict[str, Any]:
    at = [namespace.account.handle, namespace.name]
    pages = [
        ("images", _("Images"), "namespace"),
        ("permissions", _("Permissions"), "permissions"),
        ("retention", _("Rules"), "retention-rules"),
        ("webhooks", _("Webhooks"), "namespace-webhooks"),
        ("settings", _("Settings"), "namespace-settings"),
    ]
    if not _may_see_webhooks(namespace.account):
        pages.pop(-2)
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
    if _may_see_webhooks(namespace.account):
        pages.append(("webhooks", _("Webhooks"), "image-webhooks"))
    return {
        "account": namespace.account,
        "namespace": namespace,
        "image": image,
        "reference": _reference(namespace, image=image.name),
        "subtabs": [_subtab(text, reverse(url, args=at), key == current) for key, text, url in pages],
    }


def access_context(account: Account, current: str) -> dict[str, Any]:
    """Of the pages that say who may do what in an account, and what was denied."""
    pages = [
        ("matrix", _("Who can do what"), "access-matrix"),
        ("check", _("Check access"), "access-check"),
        ("who", _("Find users"), "access-who"),
        ("denials", _("Denied requests"), "denials"),
    ]
    return {
        "account": account,
        "subtabs": [
            _subtab(text, reverse(url, args=[account.handle]), key == current) for key, text, url in pages
        ],
    }


def _may_see_webhooks(account: Account) -> bool:
    """`account`: as permissions gave it."""
    return has_permission(account.role, Permission.WEBHOOKS_MANAGE)


def tag_reference(image: Image, tag: str) -> dict[str, Any]:
    return _reference(image.namespace, image=image.name, tag=tag)


def manifest_reference(image: Image, digest: str) -> dict[str, Any]:
    return _reference(image.namespace, image=image.name, digest=digest)


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
