"""A registry in memory, on a real socket, that behaves as Distribution 3.x does where the sync looks.

What it answers is compared with the real thing in tests/contract/test_model_registry.py.
"""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tests.parts.scripted import Answer, Scripted, answer


class ModelRegistry(Scripted):
    """`repositories`: name → tag → digest; a name stays in the catalog when its tags are gone."""

    def __init__(self) -> None:
        super().__init__()
        self.repositories: dict[str, dict[str, str]] = {}
        self.held: dict[str, set[str]] = {}
        self.blobs: dict[str, dict[str, bytes]] = {}
        self.content: dict[str, tuple[str, bytes]] = {}
        self._left, self._then = 0, None  # type: tuple[int, Callable[[], None] | None]

    def clear(self) -> None:
        for each in (self.repositories, self.held, self.blobs, self.content, self.asked):
            each.clear()

    def after(self, requests: int, then: Callable[[], None] | None) -> None:
        """`then` is called once, when so many more requests were answered."""
        self._left, self._then = requests, then

    def push(self, repository: str, tag: str, media_type: str, digest: str, body: bytes) -> None:
        self.hold(repository, media_type, digest, body)
        self.repositories[repository][tag] = digest

    def hold(self, repository: str, media_type: str, digest: str, body: bytes) -> None:
        """A manifest without a tag."""
        self.content[digest] = (media_type, body)
        self.held.setdefault(repository, set()).add(digest)
        self.repositories.setdefault(repository, {})

    def hold_blob(self, repository: str, digest: str, body: bytes) -> None:
        self.blobs.setdefault(repository, {})[digest] = body

    def delete(self, repository: str, digest: str) -> None:
        """Every tag that points at it goes too."""
        self.held[repository].discard(digest)
        tags = self.repositories[repository]
        self.repositories[repository] = {tag: each for tag, each in tags.items() if each != digest}

    def untag(self, repository: str, tag: str) -> None:
        del self.repositories[repository][tag]

    def answer_to(self, request: BaseHTTPRequestHandler) -> Answer:
        self._left -= 1
        if self._left == 0 and self._then:
            self._then()
        path = request.path.split("?")[0].removeprefix("/v2/")
        if path == "_catalog":
            return answer({"repositories": sorted(self.repositories)})
        if path.endswith("/tags/list"):
            return self._tags(path.removesuffix("/tags/list"))
        if "/blobs/" in path:
            return self._blob(*path.split("/blobs/"))
        repository, _slash, reference = path.partition("/manifests/")
        if request.command == "DELETE":
            return self._deleted(repository, reference)
        return self._manifest(repository, reference, request.headers.get("If-None-Match", ""))

    def _tags(self, repository: str) -> Answer:
        if repository not in self.repositories:
            return _unknown("NAME_UNKNOWN")
        tags = sorted(self.repositories[repository])
        return answer({"name": repository, "tags": tags or None})

    def _blob(self, repository: str, digest: str) -> Answer:
        body = self.blobs.get(repository, {}).get(digest)
        return _unknown("BLOB_UNKNOWN") if body is None else answer(body)

    def _deleted(self, repository: str, reference: str) -> Answer:
        if reference in self.repositories.get(repository, {}):
            self.untag(repository, reference)
        elif reference in self.held.get(repository, set()):
            self.delete(repository, reference)
        else:
            return _unknown("MANIFEST_UNKNOWN")
        return answer(status=202)

    def _manifest(self, repository: str, reference: str, known: str) -> Answer:
        tags = self.repositories.get(repository, {})
        digest = reference if ":" in reference else tags.get(reference, "")
        if digest and known == f'"{digest}"':
            return answer(status=304)  # of a digest also when it is not there: nothing was looked up
        if digest not in self.held.get(repository, set()):
            return _unknown("MANIFEST_UNKNOWN")
        head = {"Docker_Content_Digest": digest, "Etag": f'"{digest}"'}
        media_type, body = self.content[digest]
        return answer(body, Content_Type=media_type, **head)


def _unknown(code: str) -> Answer:
    return answer(json.dumps({"errors": [{"code": code, "message": "", "detail": ""}]}), status=404)
