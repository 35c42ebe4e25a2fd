"""Two tags, or a tag before and now, side by side. A plain GET form, so that each comparison has an address."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.common.errors import Invalid, NotFound
from accounts.principal import Principal
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.listing import tag_list
from namespaces.manifests import diff_queries, queries
from namespaces.manifests.diff import Change, ImageDiff
from namespaces.manifests.diff_queries import ResolvedReference, resolve
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
    if ticked := request.GET.getlist("tag"):
        return _compare_ticked(request, image, ticked)
    query = {key: request.GET.get(key, "").strip()[:500] for key in ("left", "right", "platform")}
    if query["right"] and "left" not in request.GET:
        query["left"] = queries.image_before(image, query["right"])
    sides, errors, status = _resolve_sides(by, image, query)
    context = image_context(image, "tags") | {
        "query": query,
        "errors": errors,
        "offered": tag_list.find_tags(image, "").tags(sort=tag_list.NEWEST)[:OFFERED_MAX],
    }
    if len(sides) == len(("left", "right")):
        comparison = diff_queries.compare(sides["left"], sides["right"], platform=query["platform"])
        diff = comparison.diff
        context |= {
            "comparison": comparison,
            "diff": diff,
            "smaller_by": -diff.size_difference,
            "base_layers": diff.layers[: diff.base],
            "other_layers": diff.layers[diff.base :],
            "settings_changed": _settings(diff),
        }
    return render(request, "namespaces/compare.html", context, status=status)


def _compare_ticked(request: PersonRequest, image: Image, ticked: Sequence[str]) -> HttpResponse:
    """Lead from two tags that were ticked in the list to their comparison, the older one first."""
    tags = queries.in_order_of_push(image, ticked)
    here = reverse("image-compare", args=[image.namespace.account.handle, image.namespace.name, image.name])
    if len(tags) == len(set(ticked)) == len(("left", "right")):
        return redirect(f"{here}?{urlencode(dict(zip(('left', 'right'), tags, strict=True)))}")
    messages.warning(request, _("Select two tags to compare."))
    return redirect(image)


def _resolve_sides(
    by: Principal, image: Image, query: dict[str, str]
) -> tuple[dict[str, ResolvedReference], dict[str, str], int]:
    """Return the sides that resolve, the errors of the others, and the HTTP status of the page."""
    sides, errors, status = {}, {}, 200
    for side in ("left", "right"):
        if not query[side]:
            continue
        try:
            sides[side] = resolve(by, image, query[side], host=settings.REGISTRY_HOST)
        except NotFound:
            errors[side], status = _("There is no such image, or you do not have access to it."), NOT_FOUND
        except Invalid:
            errors[side] = _("Enter a tag, a digest, or NAMESPACE/IMAGE:TAG.")
            status = status if status == NOT_FOUND else BAD
    return sides, errors, status


def _settings(diff: ImageDiff) -> list[tuple[str, tuple[Change, ...]]]:
    words: dict[str, Any] = {
        "entrypoint": _("Entrypoint"),
        "cmd": _("Command"),
        "env": _("Environment"),
        "ports": _("Ports"),
        "user": _("Runs as"),
        "workdir": _("Working directory"),
        "labels": _("Labels"),
        "annotations": _("Annotations"),
        "chart": _("Chart"),
    }
    return [(words[name], changes) for name, changes in diff.settings.items()]
