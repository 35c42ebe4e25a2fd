"""Two tags, or a tag before and now, side by side. A plain GET form, so that each comparison has an address."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.common.errors import Invalid, NotFound
from accounts.principal import Principal
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.listing import tag_list
from namespaces.manifests.diff import Change, Comparison
from namespaces.manifests.diff_queries import Looked, compared, look
from namespaces.models import Image
from namespaces.views.navigation import image_context

OFFERED_MAX = 200
BAD, NOT_FOUND = 400, 404


@tab("images")
@login_required
@require_safe
def compare(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by = principal(request)
    image = permissions.image(by, handle, name, image_name)
    query = {key: request.GET.get(key, "").strip()[:500] for key in ("left", "right", "platform")}
    looked, errors, status = _look(by, image, query)
    context = image_context(image, "tags") | {
        "query": query,
        "errors": errors,
        "offered": tag_list.find(image, "").tags(sort=tag_list.NEWEST)[:OFFERED_MAX],
    }
    if len(looked) == len(("left", "right")):
        found = compared(looked["left"], looked["right"], platform=query["platform"])
        context |= {
            "compared": found,
            "found": found.found,
            "smaller_by": -found.found.size_difference,
            "base_layers": found.found.layers[: found.found.base],
            "other_layers": found.found.layers[found.found.base :],
            "settings_changed": _settings(found.found),
        }
    return render(request, "namespaces/compare.html", context, status=status)


def _look(
    by: Principal, image: Image, query: dict[str, str]
) -> tuple[dict[str, Looked], dict[str, str], int]:
    """Return what each side points at, or beside it why not; and the status of the page."""
    looked, errors, status = {}, {}, 200
    for side in ("left", "right"):
        if not query[side]:
            continue
        try:
            looked[side] = look(by, image, query[side], host=settings.REGISTRY_HOST)
        except NotFound:
            errors[side], status = _("There is no such image here, or it is not for you."), NOT_FOUND
        except Invalid:
            errors[side] = _("Write a tag, a digest, or NAMESPACE/IMAGE:TAG.")
            status = status if status == NOT_FOUND else BAD
    return looked, errors, status


def _settings(found: Comparison) -> list[tuple[str, tuple[Change, ...]]]:
    words: dict[str, Any] = {
        "entrypoint": _("Entrypoint"),
        "cmd": _("Command"),
        "env": _("Environment"),
        "ports": _("Ports"),
        "user": _("Runs as"),
        "workdir": _("Directory"),
        "labels": _("Labels"),
        "annotations": _("Annotations"),
        "chart": _("Chart"),
    }
    return [(words[name], changes) for name, changes in found.settings.items()]
