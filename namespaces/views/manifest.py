"""One manifest by its digest: what it holds, what is hung onto it, and its own bytes."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions
from namespaces.manifests import bidi_text, queries
from namespaces.manifests.commands import commands_of
from namespaces.manifests.details import ManifestDetails, parse_details
from namespaces.manifests.platforms import choose_platform, parse_platforms
from namespaces.manifests.referrers import SHOWN_MAX, referrers_listed_by, referrers_of
from namespaces.media_types import DOCKER_SCHEMA1, Group
from namespaces.models import Image, Manifest
from namespaces.views.manifest_tabs import Tab, manifest_tabs
from namespaces.views.navigation import image_context, manifest_reference


@tab("images")
@login_required
@require_safe
def manifest(request: PersonRequest, handle: str, name: str, image_name: str, digest: str) -> HttpResponse:
    image, found = permissions.manifest(principal(request), handle, name, image_name, digest)
    context = image_context(image, "tags") | manifest_context(
        image, found, platform=request.GET.get("platform", "")
    )
    context |= manifest_tabs(context, Tab.RAW, request.GET.get("tab", ""))
    context |= {"reference": manifest_reference(image, found.digest)}
    if context["tab"] is Tab.OVERVIEW:
        context |= {
            "tags": queries.tags_of_digest(image, found.digest),
            "listed_in": queries.indexes_listing(image, found.digest),
        }
    if context["tab"] is Tab.RAW:
        context |= {"raw": bidi_text.display_text(found.body) if found.body_zlib else None}
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
    artifact_kind = queries.artifact_kind_of(manifest, tag)
    subject = queries.subject_of(image, manifest, tag)
    several = (
        parse_platforms(manifest.platforms)
        if artifact_kind.group == Group.RUNS and manifest.kind == "index"
        else []
    )
    chosen = choose_platform(several, platform)
    shown = queries.held_manifests(image, [chosen.digest]).get(chosen.digest) if chosen else manifest
    details = parse_details(shown.details) if shown else ManifestDetails()
    whole = parse_details(manifest.details)
    if artifact_kind.group == Group.LIST:
        referrers = referrers_listed_by(image, manifest, subject.digest if subject else "")
    else:
        referrers = referrers_of(image, manifest)
    namespace = image.namespace
    return {
        "manifest": manifest,
        "artifact_kind": artifact_kind,
        "docker_schema1": manifest.media_type.startswith(DOCKER_SCHEMA1),
        "subject": subject,
        "platforms": several,
        "chosen": chosen,
        "platform_asked": platform,
        "shown": shown,
        "created_at": manifest.created_at or (shown.created_at if shown else None),
        "details": details,
        "index_annotations": whole.annotations if chosen else (),
        "links": queries.links_of(manifest, shown),
        "referrers": referrers,
        "referrers_cut": len(referrers) >= SHOWN_MAX or whole.all_entries > 0,
        "all_entries": whole.all_entries,
        "commands": commands_of(
            image, manifest.digest, artifact_kind, tag=tag, subject=subject.digest if subject else ""
        ),
        "compare_url": reverse("image-compare", args=[namespace.account.handle, namespace.name, image.name]),
    }
