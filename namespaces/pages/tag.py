"""One tag: what it points at, in full."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.pages.http import PersonRequest, principal, tab
from namespaces import gate, selectors
from namespaces.pages.frame import image_context, tag_reference


@tab("images")
@login_required
@require_GET
def tag(request: PersonRequest, handle: str, name: str, image_name: str, tag_name: str) -> HttpResponse:
    tag = gate.tag(principal(request), handle, name, image_name, tag_name)
    context = image_context(tag.image, "tags")
    context |= {
        "tag": tag,
        "reference": tag_reference(tag.image, tag.name),
        "pull": f"{context['pull']}:{tag.name}",
        "siblings": selectors.tags_of_same_manifest(tag)[:20],
        "manifests": selectors.children_of(tag) or [tag.manifest],
    }
    return render(request, "namespaces/tag.html", context)
