"""What three deployers do with a request, by the rules of their own code: small copies, since none is a library.

Flux notification-controller 1.9, Argo CD Image Updater 1.3, Keel at 6ac9dc5c. docs/webhooks.md has the table.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """`path`: with its query. `headers`: by names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reaction:
    """`images`: host/repository:tag of what it would look at; None where it does so of all that it watches."""

    status: int
    images: tuple[str, ...] | None = ()


REFUSED = Reaction(400)


def flux(request: Request, *, kind: str, path: str, token: str) -> Reaction:
    """A Receiver of type generic-hmac or harbor. It matches the whole request URI, and reads no body."""
    if request.path != path:
        return Reaction(404)
    if kind == "harbor":
        return Reaction(200, None) if request.headers.get("authorization") == token else REFUSED
    found, _equals, given = request.headers.get("x-signature", "").partition("=")
    expected = hmac.new(token.encode(), request.body, sha256).hexdigest()
    return Reaction(200, None) if found == "sha256" and hmac.compare_digest(given, expected) else REFUSED


def argo(request: Request, *, secret: str) -> Reaction:
    """/webhook?type=harbor with the secret as Authorization, or ?type=cloudevents with ?secret=."""
    query = parse_qs(urlsplit(request.path).query)
    match query.get("type"):
        case ["harbor"] if request.headers.get("authorization") == secret:
            return _argo_harbor(request.json)
        case ["cloudevents"] if query.get("secret") == [secret]:
            return _argo_cloudevents(request.json)
    return REFUSED


def _argo_harbor(event: Any) -> Reaction:
    if event["type"] != "PUSH_ARTIFACT" or type(event["occur_at"]) is not int:
        return REFUSED
    resource = event["event_data"]["resources"][0]
    host = resource["resource_url"].split("/", 1)[0]
    repository = event["event_data"]["repository"]["repo_full_name"]
    return Reaction(200, (f"{host}/{repository}:{resource['tag']}",))


def _argo_cloudevents(event: Any) -> Reaction:
    """Whatever has one of two words in its type is a push. A registry with a scheme is taken, and matches nothing."""
    if event["specversion"] != "1.0" or not any(word in event["type"] for word in ("image", "container")):
        return REFUSED
    data = event.get("data", {})
    host = data.get("registryUrl") or data.get("registry") or urlsplit(event["source"]).netloc
    repository, tag = data.get("repository"), data.get("tag")
    if not repository:
        repository, _colon, tag = event["subject"].partition(":")
    return Reaction(200, (f"{host}/{repository}:{tag}",)) if host and repository and tag else REFUSED


def keel(request: Request, *, username: str = "", password: str = "") -> Reaction:
    """/v1/webhooks/native and /v1/webhooks/harbor, with Basic where it is switched on."""
    if username:
        expected = base64.b64encode(f"{username}:{password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return Reaction(401)
    event = request.json
    if request.path == "/v1/webhooks/native":
        return (
            Reaction(200, (f"{event['name']}:{event['tag']}",)) if event["name"] and event["tag"] else REFUSED
        )
    if type(event["occur_at"]) is not int:
        return REFUSED
    if event["type"] not in ("PUSH_ARTIFACT", "pushImage"):
        return Reaction(200)
    return Reaction(200, tuple(each["resource_url"] for each in event["event_data"]["resources"]))


def portainer(request: Request, *, path: str) -> Reaction:
    """A stack's or service's address. It needs no body; ?tag= is what it deploys."""
    parts = urlsplit(request.path)
    if parts.path != path:
        return Reaction(404)
    tag = parse_qs(parts.query).get("tag")
    return Reaction(204, None if not tag else (f"*:{tag[0]}",))
