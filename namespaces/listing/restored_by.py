"""Who put back what tags point at. Nobody pushed that anew, so such a tag names no user."""

from collections.abc import Sequence

from namespaces.models import Tag, TagHistoryEntry


def put_back_by(tags: Sequence[Tag]) -> dict[int, str]:
    """Return the person by the tag's id. No statement where every tag names who pushed it."""
    unnamed = {(tag.image_id, tag.name, tag.pushed_at): tag.pk for tag in tags if not tag.pushed_by}
    if not unnamed:
        return {}
    images, names, moments = (set(each) for each in zip(*unnamed, strict=True))
    # By its moment too, or a tag that is put back often would bring all its moves.
    moves = TagHistoryEntry.objects.filter(
        image__in=images, tag__in=names, at__in=moments, how=TagHistoryEntry.How.PANEL
    )
    found = {(move.image_id, move.tag, move.at): move.by for move in moves.exclude(new="")}
    return {tag: found[key] for key, tag in unnamed.items() if key in found}
