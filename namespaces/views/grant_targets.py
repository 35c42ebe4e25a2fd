"""Reads the namespaces and images that somebody typed into the form of a new grant."""

import re
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.common.errors import Invalid, NotFound
from accounts.common.translation import translate
from accounts.principal import Principal
from accounts.roles import Permission
from namespaces import permissions
from namespaces.grant_text import GrantTarget
from namespaces.models import HAS_CONTENT, Image
from namespaces.names import image_problem

TARGETS_MAX = 20


def parse_targets(by: Principal, handle: str, text: str) -> list[GrantTarget]:
    """Read "team", "team/api" or "host/team/api", separated by spaces or commas. Raise Invalid on "where"."""
    names = list(dict.fromkeys(name for name in re.split(r"[\s,]+", text) if name))
    if len(names) > TARGETS_MAX:
        raise Invalid.on("where", _("Enter at most %(most)s here; add more later.") % {"most": TARGETS_MAX})
    return [parse_target(by, handle, name, Permission.GRANTS_MANAGE) for name in names]


def parse_target(by: Principal, handle: str, name: str, permission: Permission) -> GrantTarget:
    """Read one of them. Raise Invalid on "where"."""
    first, _slash, image_name = name.removeprefix(f"{settings.REGISTRY_HOST}/").partition("/")
    try:
        namespace = permissions.namespace(by, handle, first, permission)
    except NotFound:
        raise Invalid.on(
            "where", _("There is no namespace “%(name)s” in this account.") % {"name": first}
        ) from None
    problem = image_problem(image_name, namespace=first) if image_name else None
    if problem:
        raise Invalid.on("where", translate(problem))
    return GrantTarget(namespace, image_name)


def not_pushed_yet(target: GrantTarget) -> str:
    return _("%(name)s is not in the registry yet; the first push creates it.") % {"name": target.name}


def unpushed_targets(targets: Sequence[GrantTarget]) -> list[GrantTarget]:
    return [
        each
        for each in targets
        if each.image_name
        and not Image.objects.filter(HAS_CONTENT, namespace=each.namespace, name=each.image_name).exists()
    ]
