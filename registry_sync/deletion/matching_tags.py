"""All tags of an image that a filter leaves, removed as one act. What matches only since is not taken along unseen."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.common.errors import Conflict, Invalid
from accounts.principal import Principal
from namespaces.listing import pg_plans, tag_list
from namespaces.models import Image, Tag
from registry_sync.deletion import service
from registry_sync.deletion.fingerprint import fingerprint
from registry_sync.models import Removal


def tags(image: Image, search: str) -> list[Tag]:
    """Those that people gave, the newest first. Raise Invalid where there are more than MATCHING_MAX."""
    with pg_plans.by_value(search):
        found = list(tag_list.find_tags(image, search).tags()[: settings.MATCHING_MAX + 1])
    if len(found) > settings.MATCHING_MAX:
        words = _("More than %(most)s tags match. Narrow the filter, or delete the image with all in it.")
        raise Invalid.on("search", words % {"most": f"{settings.MATCHING_MAX:,}"})
    return found


def tags_digest(found: list[Tag]) -> str:
    """Another when one more matches, one less, or one points elsewhere."""
    whole = sorted((tag.name, tag.manifest_id) for tag in found)
    return fingerprint(whole)


@transaction.atomic
def untag(*, by: Principal, image: Image, search: str, seen: str) -> Removal:
    found = _as_seen(image, search, seen)
    return service.untag(
        by=by, image=image, tags={tag.name: tag.manifest_id for tag in found}, most=settings.MATCHING_MAX
    )


@transaction.atomic
def delete(
    *, by: Principal, image: Image, search: str, seen: str, outlook: str, confirmation: str
) -> Removal:
    """`outlook`: the `preview_digest` of `service.preview`."""
    names = [tag.name for tag in _as_seen(image, search, seen)]
    return service.delete(
        by=by,
        image=image,
        tags=names,
        digests=(),
        preview_digest=outlook,
        confirmation=confirmation,
        most=settings.MATCHING_MAX,
    )


def _as_seen(image: Image, search: str, seen: str) -> list[Tag]:
    """Until the commit nobody else asks for something of this image."""
    Image.objects.select_for_update().get(pk=image.pk)
    found = tags(image, search)
    if tags_digest(found) != seen:
        raise Conflict.on(
            "preview_digest", _("The tags that match have changed since you looked; look again.")
        )
    return found
