"""How a person points at something to compare: a tag, a digest, or another image's. PURE."""

from dataclasses import dataclass

from namespaces.names import DIGEST, TAG, is_repository


@dataclass(frozen=True, slots=True)
class Pointer:
    """`repository` is "" for the image one looks at. One of `tag` and `digest` is empty."""

    repository: str
    tag: str
    digest: str


def parse(text: str, *, host: str) -> Pointer | None:
    """`1.0`, `sha256:…`, `team/api:1.0`, `team/api@sha256:…`, the last two also with our host before them.

    None for anything else.
    """
    text = text.strip().removeprefix(f"{host}/")
    if DIGEST.fullmatch(text):
        return Pointer("", "", text)
    if TAG.fullmatch(text):
        return Pointer("", text, "")
    repository, at, digest = text.partition("@")
    if at:
        # name:tag@digest means the digest
        repository = repository.partition(":")[0]
        return (
            Pointer(repository, "", digest)
            if is_repository(repository) and DIGEST.fullmatch(digest)
            else None
        )
    repository, _colon, tag = text.rpartition(":")
    return Pointer(repository, tag, "") if is_repository(repository) and TAG.fullmatch(tag) else None
