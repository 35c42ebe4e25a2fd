"""One tag: what it points at, in full."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.common.url_pattern import url_pattern
from accounts.roles import Permission
from accounts.views.button_permissions import denial_reason
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.listing.restored_by import restored_by
from namespaces.manifests import pull_stats, queries
from namespaces.views.manifest import manifest_context
from namespaces.views.manifest_tabs import Tab, manifest_tabs
from namespaces.views.navigation import image_context, tag_reference


@tab("images")
@login_required
@require_safe
def tag(request: PersonRequest, handle: str, name: str, image_name: str, tag_name: str) -> HttpResponse:
    by = principal(request)
    tag = permissions.tag(by, handle, name, image_name, tag_name, rows=queries.tags_with_origin)
    image = tag.image
    context = image_context(image, "tags")
    context |= manifest_context(image, tag.manifest, tag=tag.name, platform=request.GET.get("platform", ""))
    context |= manifest_tabs(context, Tab.PULLS, request.GET.get("tab", ""))
    context |= {
        "tag": tag,
        "may_remove": not denial_reason(image.namespace.account, Permission.IMAGES_REMOVE),
        "reference": tag_reference(image, tag.name),
        "pusher": tag.pusher,
        "restored_by": restored_by([tag]).get(tag.pk, ""),
        "before": tag.moved_from,
    }
    if context["tab"] is Tab.OVERVIEW:
        tag_url = url_pattern("tag", image.namespace.account.handle, image.namespace.name, image.name)
        context |= {"siblings": [(name, tag_url(name)) for name in queries.tags_of_same_manifest(tag)]}
    if context["tab"] is Tab.PULLS:
        pullers = pull_stats.pullers_of(tag)
        context |= {
            "pullers": pullers[: pull_stats.SHOWN_MAX],
            "pullers_cut": len(pullers) > pull_stats.SHOWN_MAX,
            "by_digest": pull_stats.digest_pulls(tag),
        }
    return render(request, "namespaces/tag.html", context)
