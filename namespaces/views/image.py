"""One image: its tags, and who may do what with it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.common.errors import Invalid
from accounts.roles import Permission
from accounts.selectors import denials_on
from accounts.views.button_permissions import denial_reason
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions, selectors, tag_updates
from namespaces.denial_recheck import with_current_decision
from namespaces.forms import ImageGrantForm
from namespaces.listing import grant_list
from namespaces.manifests import queries
from namespaces.manifests.commands import commands_of
from namespaces.models import Image
from namespaces.services import grants
from namespaces.views.denial_fixes import add_fixes
from namespaces.views.first_steps import first_steps
from namespaces.views.grant_sorting import chosen_sort, sort_context
from namespaces.views.navigation import image_context
from namespaces.views.tag_list_context import tag_list_context

DENIALS_SHOWN = 10


@tab("images")
@login_required
@require_safe
@vary_on_headers("HX-Request")
def image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by = principal(request)
    image = permissions.image_or_planned(by, handle, name, image_name, rows=selectors.images_with_readme)
    context = image_context(image, "tags") | {
        "may_remove": not denial_reason(image.namespace.account, Permission.IMAGES_REMOVE),
        "live": tag_updates.first_live_note_of_image(request, image),
        **tag_list_context(image, request.GET),
    }
    untagged = queries.untagged_manifests(image)
    context["untagged"] = untagged[: queries.UNTAGGED_SHOWN]
    context["untagged_cut"] = len(untagged) > queries.UNTAGGED_SHOWN
    context |= _newest(image)
    if image.pk and not denial_reason(image.namespace.account, Permission.IMAGES_DESCRIBE):
        context["edit_url"] = reverse("image-describe", args=[handle, name, image_name])
    if not context["rows"] and not context["untagged"]:
        context["steps"] = first_steps(
            request, image.namespace.account, namespaces=[image.namespace], image_name=image.name
        )
    context["readme"] = image.readme_text
    fragment = request.htmx and request.htmx.target == "tags"
    return render(request, "namespaces/_tags.html" if fragment else "namespaces/image.html", context)


def _newest(image: Image) -> dict[str, Any]:
    """Return what the newest tag is, and how to pull it by name: without one, docker asks for `latest`."""
    newest = queries.newest_manifest(image)
    if not newest:
        return {}
    artifact_kind = queries.artifact_kind_of(newest, image.latest_tag)
    commands = commands_of(image, newest.digest, artifact_kind, tag=image.latest_tag)
    return {"artifact_kind": artifact_kind, "pull": commands[0].by_tag if commands else ""}


@tab("images")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def access(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by, writes = principal(request), request.method == "POST"
    image = permissions.image_or_planned(
        by, handle, name, image_name, Permission.GRANTS_MANAGE if writes else Permission.ACCOUNT_VIEW
    )
    form = ImageGrantForm(request.POST if writes else None, account=image.namespace.account)
    if writes and form.is_valid():
        try:
            grants.give(by=by, namespace=image.namespace, image_name=image.name, **form.values)
        except Invalid as error:
            put_errors(form, error, expires_at="expires_on")
        else:
            messages.success(request, _("Permission added."))
            return redirect("image-access", handle, name, image_name)
    here = request.get_full_path()
    sort = chosen_sort(request.GET, grant_list.OF_IMAGE, grant_list.USUAL_OF_IMAGE)
    query = {"sort": "" if sort == grant_list.USUAL_OF_IMAGE else sort}
    page = grant_list.users_with_access(
        image.namespace,
        image.name,
        sort=sort,
        now=timezone.now(),
        cursor=request.GET.get("page", ""),
        query=query,
    )
    reached = selectors.effective_access(image.namespace, image.name, page.rows)
    why_not = denial_reason(image.namespace.account, Permission.GRANTS_MANAGE)
    denials = with_current_decision(
        denials_on(DENIALS_SHOWN, account=image.namespace.account.pk, repository=image.repository)
    )
    add_fixes(image.namespace.account, denials, here=here)
    context = image_context(image, "access") | {
        **sort_context(sort, grant_list.OF_IMAGE, grant_list.USUAL_OF_IMAGE, query),
        "form": form,
        "page": page,
        "effective_access": reached,
        "why_not": why_not,
        "may_save": not why_not and any(grant.image_name for each in reached for grant in each.grants),
        "denials": denials,
        "here": here,
    }
    return render(request, "namespaces/access.html", context, status=status_of(form))
