"""Who restored tags from the history. Nobody pushed those, so they name no user."""

from collections.abc import Sequence

from namespaces.listing.listed_tag import ListedTag
from namespaces.models import Tag, TagHistoryEntry


def restored_by(tags: Sequence[Tag | ListedTag]) -> dict[int, str]:
    """Return the person by tag id. No statement if every tag names who pushed it."""
    unnamed = {(tag.image_id, tag.name, tag.pushed_at): tag.id for tag in tags if not tag.pushed_by}
    if not unnamed:
        return {}
    images, names, moments = (set(each) for each in zip(*unnamed, strict=True))
    # By moment too, or a tag that is restored often would load all its entries.
    entries = TagHistoryEntry.objects.filter(
        image__in=images, tag__in=names, at__in=moments, how=TagHistoryEntry.How.PANEL
    )
    found = {(entry.image_id, entry.tag, entry.at): entry.by for entry in entries.exclude(new="")}
    return {tag: found[key] for key, tag in unnamed.items() if key in found}
