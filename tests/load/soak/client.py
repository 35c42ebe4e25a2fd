"""One user of the registry, over HTTP: asks, follows the challenge, brings the token."""

import json
from typing import Any

import requests

from manager.demo.push_client import INDEX, MANIFEST, TIMEOUT, descriptor

NAME = "soak/1"


class Refused(Exception):
    """The registry, or who gives tokens, said no. No answer at all is a requests.RequestException."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:200]}")
        self.status = answer.status_code


class Client:
    def __init__(self, registry: str, username: str, password: str, repositories: list[str]) -> None:
        self.registry, self.repositories = registry, repositories
        self.username, self.password = username, password
        self.session = requests.Session()
        self.session.trust_env = False
        self.tokens: dict[str, str] = {}

    def blob(self, repository: str, content: bytes) -> None:
        """Uploads it unless it is there."""
        digest = descriptor("", content)["digest"]
        if self.ask("HEAD", repository, f"blobs/{digest}").ok:
            return
        begun = self.good(self.ask("POST", repository, "blobs/uploads/"))
        target = requests.compat.urljoin(begun.url, begun.headers["Location"])
        self.good(self.send("PUT", repository, target, params={"digest": digest}, data=content))

    def put(
        self, repository: str, reference: str, media_type: str, content: bytes, *, name: str = NAME
    ) -> int:
        """The status, which is good: what is refused is Refused."""
        headers = {"Content-Type": media_type, "User-Agent": name}
        answer = self.ask("PUT", repository, f"manifests/{reference}", data=content, headers=headers)
        return self.good(answer).status_code

    def get(self, repository: str, reference: str) -> requests.Response:
        headers = {"Accept": f"{INDEX}, {MANIFEST}", "User-Agent": NAME}
        return self.ask("GET", repository, f"manifests/{reference}", headers=headers)

    def delete(self, repository: str, reference: str, *, name: str = NAME) -> int:
        answer = self.ask("DELETE", repository, f"manifests/{reference}", headers={"User-Agent": name})
        return self.good(answer).status_code

    def good(self, answer: requests.Response) -> requests.Response:
        if not answer.ok:
            raise Refused(answer)
        return answer

    def ask(self, method: str, repository: str, path: str, **more: Any) -> requests.Response:
        return self.send(method, repository, f"{self.registry}/v2/{repository}/{path}", **more)

    def send(self, method: str, repository: str, url: str, **more: Any) -> requests.Response:
        """With the token it has, and where that is over, with another."""
        for _try in range(2):
            headers = more.pop("headers", {})
            if repository in self.tokens:
                headers["Authorization"] = f"Bearer {self.tokens[repository]}"
            answer = self.session.request(method, url, headers=headers, timeout=TIMEOUT, **more)
            if answer.status_code != requests.codes.unauthorized:
                return answer
            self.tokens[repository] = self.token(repository, answer.headers["WWW-Authenticate"])
            more["headers"] = headers
        return answer

    def token(self, repository: str, challenge: str) -> str:
        said = requests.utils.parse_dict_header(challenge.removeprefix("Bearer "))
        query = {"service": said["service"], "scope": f"repository:{repository}:pull,push,delete"}
        auth = (self.username, self.password)
        given = self.good(self.session.get(said["realm"], params=query, auth=auth, timeout=TIMEOUT))
        return str(given.json()["token"])


def document(media_type: str, **parts: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, **parts}).encode()
