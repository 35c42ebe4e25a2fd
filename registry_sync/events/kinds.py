"""What an event asks of the inventory. PURE."""

from enum import Enum, auto

from namespaces.names import DIGEST, TAG, is_repository

BLOB = "application/octet-stream"


class Kind(Enum):
    NOTHING = auto()  # a layer, a config, or what nobody understands
    PUSH = auto()  # of a tag, for the first time
    UNTAGGED_PUSH = auto()  # of a manifest by its digest: of one platform, or hung onto another
    CONFIRMATION = auto()  # of a tag's push that was applied: what does the tag point at now?
    DELETION = auto()


def kind_of(*, action: str, media_type: str, repository: str, tag: str, digest: str, applied: bool) -> Kind:
    if media_type == BLOB or not is_repository(repository):
        return Kind.NOTHING
    if action == "delete":
        return Kind.DELETION
    if action != "push" or not DIGEST.fullmatch(digest):
        return Kind.NOTHING
    if not TAG.fullmatch(tag):
        return Kind.UNTAGGED_PUSH
    return Kind.CONFIRMATION if applied else Kind.PUSH
