"""One manifest by its digest: what it holds, what is hung onto it, and its own bytes."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.manifests import bidi_text, details, queries
from namespaces.manifests.commands import commands_of
from namespaces.manifests.platforms import choose, platforms_of
from namespaces.manifests.referrers import SHOWN_MAX, attached_to, listed_by
from namespaces.media_types import FIRST_FORM, Group
from namespaces.models import Image, Manifest
from namespaces.views.navigation import image_context, manifest_reference


@tab("images")
@login_required
@require_safe
def manifest(request: PersonRequest, handle: str, name: str, image_name: str, digest: str) -> HttpResponse:
    image, found = permissions.manifest(principal(request), handle, name, image_name, digest)
    context = image_context(image, "tags") | manifest_context(
        image, found, platform=request.GET.get("platform", "")
    )
    context |= {
        "reference": manifest_reference(image, found.digest),
        "tags": queries.tags_at(image, found.digest),
        "listed_in": queries.listed_in(image, found.digest),
        "raw": bidi_text.shown(found.body) if found.body_zlib else None,
    }
    return render(request, "namespaces/manifest.html", context)


@login_required
@require_safe
def download(request: PersonRequest, handle: str, name: str, image_name: str, digest: str) -> HttpResponse:
    """Send the exact bytes. As an attachment of no type: whoever pushed them must not have them run here."""
    _image, found = permissions.manifest(principal(request), handle, name, image_name, digest)
    if not found.body_zlib:
        raise Http404
    filename = found.digest.replace(":", "-") + ".json"
    return HttpResponse(
        found.body,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store, private",
        },
    )


def manifest_context(
    image: Image, manifest: Manifest, *, tag: str = "", platform: str = ""
) -> dict[str, Any]:
    """Return what the pages of a tag and of a digest show of a manifest; `platform` chooses one of an index."""
    nature = queries.nature_of(manifest, tag)
    subject = queries.subject_of(image, manifest, tag)
    several = (
        platforms_of(manifest.platforms) if nature.group == Group.RUNS and manifest.kind == "index" else []
    )
    chosen = choose(several, platform)
    shown = queries.held(image, [chosen.digest]).get(chosen.digest) if chosen else manifest
    read = details.read(shown.details) if shown else details.Contents()
    whole = details.read(manifest.details)
    if nature.group == Group.LIST:
        attached = listed_by(image, manifest, subject.digest if subject else "")
    else:
        attached = attached_to(image, manifest)
    namespace = image.namespace
    return {
        "manifest": manifest,
        "nature": nature,
        "first_form": manifest.media_type.startswith(FIRST_FORM),
        "subject": subject,
        "platforms": several,
        "chosen": chosen,
        "shown": shown,
        "created_at": manifest.created_at or (shown.created_at if shown else None),
        "contents": read,
        "index_annotations": whole.annotations if chosen else (),
        "links": queries.links_of(manifest, shown),
        "attached": attached,
        "attached_cut": len(attached) >= SHOWN_MAX or whole.all_entries > 0,
        "all_entries": whole.all_entries,
        "commands": commands_of(
            image, manifest.digest, nature, tag=tag, subject=subject.digest if subject else ""
        ),
        "image_url": image.get_absolute_url(),
        "compare_url": reverse("image-compare", args=[namespace.account.handle, namespace.name, image.name]),
    }
