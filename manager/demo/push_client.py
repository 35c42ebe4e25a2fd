"""A small client that pushes and pulls as docker does: it asks, follows the challenge, and brings the token.

For `make demo`: what it makes went the whole way that a real push goes.
"""

import hashlib
import json
from typing import Any

import requests

TIMEOUT = 60  # seconds for an answer, also of a busy machine
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class PushError(Exception):
    """The registry or the panel did not take it; the message says where."""


def descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def need(url: str) -> None:
    """PushError unless the registry at `url` answers."""
    try:
        requests.get(f"{url}/v2/", timeout=TIMEOUT)
    except requests.RequestException as error:
        raise PushError(f"{url} does not answer; is `make run` running, and on the same ports?") from error


class Pusher:
    """Pushes into one repository, and pulls from it, with one user's name and password."""

    def __init__(self, url: str, repository: str, username: str, password: str) -> None:
        self.base = f"{url}/v2/{repository}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self._token(url, repository, (username, password))}"

    def blob(self, media_type: str, content: bytes) -> dict[str, Any]:
        """Upload it unless it is there; return its descriptor."""
        described = descriptor(media_type, content)
        if self.session.head(f"{self.base}/blobs/{described['digest']}", timeout=TIMEOUT).ok:
            return described
        begun = _good(self.session.post(f"{self.base}/blobs/uploads/", timeout=TIMEOUT))
        target = requests.compat.urljoin(begun.url, begun.headers["Location"])
        query = {"digest": described["digest"]}
        _good(self.session.put(target, params=query, data=content, timeout=TIMEOUT))
        return described

    def manifest(self, document: dict[str, Any], *references: str) -> dict[str, Any]:
        """Put it under each tag; under its digest when there is none."""
        content = json.dumps(document).encode()
        described = descriptor(document["mediaType"], content)
        for reference in references or (described["digest"],):
            url, headers = f"{self.base}/manifests/{reference}", {"Content-Type": document["mediaType"]}
            _good(self.session.put(url, data=content, headers=headers, timeout=TIMEOUT))
        return described

    def pull(self, *references: str) -> None:
        """Ask for manifests, which is what a registry counts as a pull."""
        headers = {"Accept": f"{INDEX}, {MANIFEST}"}
        for reference in references:
            _good(self.session.get(f"{self.base}/manifests/{reference}", headers=headers, timeout=TIMEOUT))

    def _token(self, url: str, repository: str, credentials: tuple[str, str]) -> str:
        try:
            answer = self.session.get(f"{url}/v2/", timeout=TIMEOUT)
            challenge = requests.utils.parse_dict_header(  # type: ignore[no-untyped-call]
                answer.headers["WWW-Authenticate"].removeprefix("Bearer ")
            )
            query = {"service": challenge["service"], "scope": f"repository:{repository}:pull,push"}
            given = _good(
                self.session.get(challenge["realm"], params=query, auth=credentials, timeout=TIMEOUT)
            )
        except (requests.RequestException, KeyError) as error:
            raise PushError(f"{url} or its token service does not answer; is `make run` running?") from error
        return str(given.json()["token"])


def _good(response: requests.Response) -> requests.Response:
    if not response.ok:
        raise PushError(f"{response.request.method} {response.url} answers {response.status_code}")
    return response
