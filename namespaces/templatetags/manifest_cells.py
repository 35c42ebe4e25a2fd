"""Cells of lists of images, tags and manifests."""

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.common.html_text import fill, fill_text, joined
from accounts.common.translation import translate
from accounts.templatetags.icons import icon
from namespaces.media_types import INDEX, ArtifactKind, Group
from namespaces.models import ManifestSummary, kind_in_lists, named_platforms

PLATFORMS_SHOWN = 6
KIND_ICONS = {
    Group.RUNS: "package",
    Group.CHART: "steering-wheel",
    Group.FILES: "file",
    Group.CACHE: "stack-2",
    Group.ABOUT: "certificate",
    Group.LIST: "list-details",
    Group.UNKNOWN: "help-circle",
}
register = template.Library()


@register.simple_tag
def kind(artifact_kind: ArtifactKind) -> SafeString:
    """Write what an artifact is: its icon, and the word for it."""
    name = "packages" if artifact_kind == INDEX else KIND_ICONS[artifact_kind.group]
    return fill(
        '<span class="d-inline-flex align-items-center gap-1 fw-semibold">{}{}</span>',
        icon(name),
        translate(artifact_kind.label),
    )


@register.simple_tag
def platform_chips(manifest: ManifestSummary, tag_name: str = "") -> SafeString:
    """Write its platforms as chips; what names none says what it is."""
    named = named_platforms(manifest)
    if not named:
        what = fill(
            '<span class="text-secondary" title="{}">{}</span>',
            manifest.artifact_type,
            translate(kind_in_lists(manifest, tag_name).label),
        )
        return fill('<span class="hstack gap-2 flex-wrap">{}</span>', what)
    return _chips(tuple(named))


@lru_cache(maxsize=256)  # most of a list are for the same platforms
def _chips(named: tuple[str, ...]) -> SafeString:
    chips = joined(*(fill('<span class="badge">{}</span>', each) for each in named[:PLATFORMS_SHOWN]))
    more = len(named) - PLATFORMS_SHOWN
    rest = fill('<span class="text-secondary small">+{}</span>', more) if more > 0 else ""
    return fill('<span class="hstack gap-2 flex-wrap">{}{}</span>', chips, rest)


def pusher(description: str | None, url: str, username: str, restored_by: str) -> SafeString:
    """Write who pushed, or had it come back. `description` is None if the user is unknown, the others may be ""."""
    if description is not None:
        return fill(
            '<a class="text-break" href="{}" title="{}">{}</a>', url, username, description or username
        )
    if username:
        return fill('<span class="text-break font-monospace">{}</span>', username)
    if restored_by:
        text = fill_text(gettext("restored by %(who)s"), who=restored_by)
        return fill('<span class="text-break">{}</span>', text)
    return SafeString()
