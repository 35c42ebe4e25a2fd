"""Parses the reference that a person types to compare: a tag, a digest, or one of another image. PURE."""

from dataclasses import dataclass

from namespaces.names import DIGEST, TAG, is_repository


@dataclass(frozen=True, slots=True)
class ManifestReference:
    """`repository` is "" for the image of the page. One of `tag` and `digest` is empty."""

    repository: str
    tag: str
    digest: str


def parse_manifest_reference(text: str, *, host: str) -> ManifestReference | None:
    """`1.0`, `sha256:…`, `team/api:1.0`, `team/api@sha256:…`, the last two also with our host before them.

    None for anything else.
    """
    text = text.strip().removeprefix(f"{host}/")
    if DIGEST.fullmatch(text):
        return ManifestReference("", "", text)
    if TAG.fullmatch(text):
        return ManifestReference("", text, "")
    repository, at, digest = text.partition("@")
    if at:
        # name:tag@digest means the digest
        repository = repository.partition(":")[0]
        return (
            ManifestReference(repository, "", digest)
            if is_repository(repository) and DIGEST.fullmatch(digest)
            else None
        )
    repository, _colon, tag = text.rpartition(":")
    return (
        ManifestReference(repository, tag, "") if is_repository(repository) and TAG.fullmatch(tag) else None
    )
