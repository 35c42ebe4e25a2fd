"""Fetches images as a client does: at the address that people type, to wherever the registry sends it on."""

from typing import Any
from urllib.parse import urljoin, urlsplit

from accounts.common.json_fields import read_mappings
from namespaces import names
from namespaces.models import Tag
from registry_sync.client import NotInRegistry, RegistryClient, RegistryError, responses
from registry_sync.doctor.http_probe import ask
from registry_sync.doctor.observations import Answer, Pulled

TAGS, BLOBS = 3, 5  # of each image its first blobs, of each blob its beginning
_MANIFESTS = frozenset(responses.MANIFEST_TYPES.split(", "))


def newest(front: RegistryClient) -> list[Pulled]:
    """Of several: one image may be broken by whoever pushed it."""
    tags = Tag.objects.filter(missing_since=None).select_related("image__namespace")
    return [_pull(front, tag) for tag in tags.order_by(*Tag.NEWEST_FIRST)[:TAGS]]


def _pull(front: RegistryClient, tag: Tag) -> Pulled:
    repository = tag.image.repository
    name = f"{repository}:{tag.name}"
    try:
        blobs = _blobs(front, repository, tag.manifest_id)
    except NotInRegistry:
        return Pulled(name, lost="manifest: 404")
    except RegistryError as error:
        return Pulled(name, lost=f"manifest: {error}")
    origin = ""
    for digest in blobs[:BLOBS]:
        path = responses.api_path(repository, "blobs", digest)
        answer = ask(front, path, token=front.token_for(repository), body=True)
        if answer.location and answer.status in range(300, 400):
            target = urlsplit(urljoin(front.url + path, answer.location))
            origin = f"{target.scheme}://{target.netloc}"
            answer = _follow(origin, f"{target.path}?{target.query}")
            if why := _why_not(answer):
                return Pulled(name, origin=origin, astray=why)
        elif why := _why_not(answer):
            return Pulled(name, lost=f"{digest[:19]}: {why}", origin=origin)
    return Pulled(name, origin=origin)


def _follow(origin: str, path: str) -> Answer:
    """Without the token, as clients do: it is not for whoever stands there."""
    store = RegistryClient(origin, lambda *_scope: "")
    try:
        return ask(store, path, body=True)
    finally:
        store.close()


def _why_not(answer: Answer) -> str:
    return answer.error or (str(answer.status) if answer.status != responses.OK else "")


def _blobs(front: RegistryClient, repository: str, digest: str) -> list[str]:
    """Return config and layers; of an index, those of its first part that is an image.

    What has a place elsewhere is not asked for.
    """
    document = _manifest(front, repository, digest)
    parts = [part for part in read_mappings(document.get("manifests")) if part.get("mediaType") in _MANIFESTS]
    if parts:
        document = _manifest(front, repository, str(parts[0].get("digest")))
    descriptors = [*read_mappings([document.get("config")]), *read_mappings(document.get("layers"))]
    digests = (str(descriptor.get("digest")) for descriptor in descriptors if not descriptor.get("urls"))
    return list(filter(names.DIGEST.fullmatch, dict.fromkeys(digests)))


def _manifest(front: RegistryClient, repository: str, digest: str) -> dict[str, Any]:
    fetched = front.manifest(repository, digest)
    return responses.json_object(fetched.body) if fetched else {}
