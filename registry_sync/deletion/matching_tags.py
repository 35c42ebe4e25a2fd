"""Removes all tags of an image that match a filter, as one request; only what the person saw in the preview."""

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
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
    """Return the matching tags without technical ones, newest first. Raise Invalid for more than MATCHING_MAX."""
    with pg_plans.by_value(search):
        found = list(tag_list.find_tags(image, search).tags()[: settings.MATCHING_MAX + 1])
    if len(found) > settings.MATCHING_MAX:
        words = _(
            "More than %(most)s tags match. Narrow the filter, or delete the image and everything in it."
        )
        raise Invalid.on("search", words % {"most": intcomma(settings.MATCHING_MAX)})
    return found


def fingerprint_of(found: list[Tag]) -> str:
    """Return a fingerprint, which changes when one more matches, or one less, or one points elsewhere."""
    whole = sorted((tag.name, tag.manifest_id) for tag in found)
    return fingerprint(whole)


@transaction.atomic
def untag(*, by: Principal, image: Image, search: str, tags_digest: str) -> Removal:
    found = _lock_and_find(image, search, tags_digest)
    return service.untag(
        by=by, image=image, tags={tag.name: tag.manifest_id for tag in found}, items_max=settings.MATCHING_MAX
    )


@transaction.atomic
def delete(
    *, by: Principal, image: Image, search: str, tags_digest: str, preview_digest: str, confirmation: str
) -> Removal:
    """`tags_digest`: of the tags that the person saw. `preview_digest`: of `service.preview`."""
    names = [tag.name for tag in _lock_and_find(image, search, tags_digest)]
    return service.delete(
        by=by,
        image=image,
        tags=names,
        digests=(),
        preview_digest=preview_digest,
        confirmation=confirmation,
        items_max=settings.MATCHING_MAX,
    )


def _lock_and_find(image: Image, search: str, tags_digest: str) -> list[Tag]:
    """Return the matching tags, and lock the image until the commit. Raise Conflict when they have changed."""
    Image.objects.select_for_update().get(pk=image.pk)
    found = tags(image, search)
    if fingerprint_of(found) != tags_digest:
        raise Conflict.on(
            "preview_digest", _("The tags that match have changed since you looked; check them again.")
        )
    return found
