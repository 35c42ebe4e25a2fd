"""Each receiver does what its own code would with what is sent to it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.webhooks.event_types import FORMATS, OF_TAGS, PREFIX, PUSHES, TEST, EventType, Format
from namespaces.webhooks.formats import Message, TagFacts, write
from namespaces.webhooks.signatures import signature_headers
from tests.parts import webhook_receivers as receivers
from tests.parts.webhook_receivers import Reaction, Request

URL = "https://receiver.example/hook"
SECRET = "whsec_" + "QUJD" * 8
NEW, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FACTS = TagFacts(
    registry="reg.example:5000", namespace="team", image="api/v2", tag="1.4.2", digest=NEW, previous_digest=OLD,
    actor="wsbq5k5ysqyt", media_type="application/vnd.oci.image.index.v1+json", size=123,
    platforms=("linux/amd64", "linux/arm64"), url="https://panel.example/a/ours/team/api",
)  # fmt: skip
PUSHED = Message(
    "msg_1", EventType.IMAGE_PUSHED, datetime(2026, 3, 1, 13, 0, 0, 5000, timezone(timedelta(hours=1))),
    "https://panel.example/a/ours", "team/api/v2:1.4.2", FACTS,
)  # fmt: skip
DELETED = replace(PUSHED, event_type=EventType.TAG_DELETED, tag=replace(FACTS, digest=""))
RESTORED = replace(PUSHED, event_type=EventType.IMAGE_RESTORED)
TESTED = replace(PUSHED, event_type=TEST, subject="", tag=None, data={"account": "ours"})
REFERENCE = "reg.example:5000/team/api/v2:1.4.2"


def request_of(message: Message, format: Format, url: str = URL, authorization: str = "") -> Request:
    written = write(message, format, url)
    headers = signature_headers(written.body, message_id=message.id, timestamp=1, secrets=[SECRET])
    headers |= {"Content-Type": written.content_type} if written.content_type else {}
    headers |= {"Authorization": authorization} if authorization else {}
    parts = urlsplit(written.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return Request(path, {name.lower(): value for name, value in headers.items()}, written.body)


def test_a_cloud_event_says_it_all() -> None:
    written = write(PUSHED, Format.CLOUDEVENTS, URL)
    assert written.content_type == "application/cloudevents+json"
    assert json.loads(written.body) == {
        "specversion": "1.0",
        "id": "msg_1",
        "type": "registry-manager.image.pushed",
        "source": "https://panel.example/a/ours",
        "subject": "team/api/v2:1.4.2",
        "time": "2026-03-01T12:00:00.005Z",
        "datacontenttype": "application/json",
        "data": {
            "registry": "reg.example:5000",
            "repository": "team/api/v2",
            "reference": REFERENCE,
            "tag": "1.4.2",
            "digest": NEW,
            "previousDigest": OLD,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "size": 123,
            "platforms": ["linux/amd64", "linux/arm64"],
            "actor": "wsbq5k5ysqyt",
            "url": "https://panel.example/a/ours/team/api",
        },
    }
    assert write(PUSHED, Format.CLOUDEVENTS_JSON, URL).content_type == "application/json"


def test_what_is_not_known_is_null_and_what_is_about_nothing_has_no_subject() -> None:
    bare = replace(DELETED, tag=TagFacts("reg.example", "team", "api", "1", "", OLD))
    data = json.loads(write(bare, Format.CLOUDEVENTS, URL).body)["data"]
    assert (data["digest"], data["previousDigest"], data["size"], data["actor"]) == (None, OLD, None, None)
    event = json.loads(write(TESTED, Format.CLOUDEVENTS, URL).body)
    assert "subject" not in event
    assert event["data"] == {"account": "ours"}
    assert json.loads(write(replace(TESTED, data=None), Format.CLOUDEVENTS, URL).body)["data"] == {}


def argo(message: Message, format: Format, query: str, authorization: str = "") -> Reaction:
    url = f"https://argo.example/webhook?{query}"
    return receivers.argo(request_of(message, format, url, authorization), secret="s3cret")


@pytest.mark.parametrize(
    ("message", "reaction"),
    [
        (PUSHED, Reaction(200, (REFERENCE,))),
        (RESTORED, Reaction(200, (REFERENCE,))),
        (DELETED, receivers.REFUSED),  # the type has none of the words that it takes for a push
        (TESTED, receivers.REFUSED),
        (replace(TESTED, event_type=EventType.RETENTION_FINISHED), receivers.REFUSED),
    ],
)
def test_argo_cd_image_updater_by_cloud_events(message: Message, reaction: Reaction) -> None:
    for format in (Format.CLOUDEVENTS, Format.CLOUDEVENTS_JSON):
        assert argo(message, format, "type=cloudevents&secret=s3cret") == reaction
    assert argo(message, Format.CLOUDEVENTS, "type=cloudevents&secret=no") == receivers.REFUSED


@pytest.mark.parametrize(
    ("message", "reaction"),
    [
        (PUSHED, Reaction(200, (REFERENCE,))),
        (RESTORED, Reaction(200, (REFERENCE,))),
        (DELETED, receivers.REFUSED),
        (TESTED, receivers.REFUSED),
    ],
)
def test_argo_cd_image_updater_by_harbor(message: Message, reaction: Reaction) -> None:
    assert argo(message, Format.HARBOR, "type=harbor", "s3cret") == reaction
    assert argo(message, Format.HARBOR, "type=harbor", "Bearer s3cret") == receivers.REFUSED


def test_keel() -> None:
    native = request_of(PUSHED, Format.KEEL, "https://keel.example/v1/webhooks/native", "Basic bWU6cHc=")
    assert receivers.keel(native, username="me", password="pw") == Reaction(200, (REFERENCE,))
    assert receivers.keel(native, username="me", password="other").status == 401
    harbor = "https://keel.example/v1/webhooks/harbor"
    assert receivers.keel(request_of(PUSHED, Format.HARBOR, harbor)) == Reaction(200, (REFERENCE,))
    for nothing in (DELETED, TESTED):
        assert receivers.keel(request_of(nothing, Format.HARBOR, harbor)) == Reaction(200)
    test = request_of(TESTED, Format.KEEL, "https://keel.example/v1/webhooks/native")
    assert receivers.keel(test) == Reaction(200, ("registry-manager/test:test",))


@pytest.mark.parametrize("format", [each for each in Format if each is not Format.PORTAINER])
def test_flux_reconciles_by_its_signature_and_by_a_raw_authorization(format: Format) -> None:
    """It matches the whole of its path: nothing may be added to that."""
    request = request_of(PUSHED, format, authorization="t0ken")
    assert receivers.flux(request, kind="generic-hmac", path="/hook", token=SECRET) == Reaction(200, None)
    assert receivers.flux(request, kind="harbor", path="/hook", token="t0ken") == Reaction(200, None)
    assert receivers.flux(request, kind="generic-hmac", path="/hook", token="other") == receivers.REFUSED
    assert receivers.flux(request, kind="harbor", path="/hook", token="other") == receivers.REFUSED
    assert receivers.flux(request, kind="harbor", path="/hook/", token="t0ken").status == 404


def test_portainer_alone_gets_the_tag_in_the_address() -> None:
    path = "/api/stacks/webhooks/1f"
    for url in (f"https://portainer.example{path}", f"https://portainer.example{path}?pullimage=true"):
        request = request_of(PUSHED, Format.PORTAINER, url)
        assert receivers.portainer(request, path=path) == Reaction(204, ("*:1.4.2",))
        assert request.body == b""
        assert "content-type" not in request.headers
    assert receivers.portainer(
        request_of(TESTED, Format.PORTAINER, f"https://x.example{path}"), path=path
    ) == (Reaction(204, None))


@pytest.mark.parametrize("format", list(Format))
def test_every_format_can_write_what_it_says_it_can(format: Format) -> None:
    for each in FORMATS[format].types:
        message = replace(
            PUSHED if each in PUSHES else DELETED if each in OF_TAGS else TESTED, event_type=each
        )
        written = write(message, format, URL)
        assert bool(written.body) is bool(written.content_type)
    assert write(TESTED, format, URL).url == URL


def test_public_repositories_are_called_so() -> None:
    for public, word in ((True, "public"), (False, "private")):
        event = json.loads(write(replace(PUSHED, tag=replace(FACTS, public=public)), Format.HARBOR, URL).body)
        assert event["event_data"]["repository"]["repo_type"] == word


TEXT = st.text(max_size=30)


@given(
    st.builds(TagFacts, *[TEXT] * 6, actor=TEXT),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(Format),
)
def test_whatever_is_in_it_the_body_is_utf_8_and_json(facts: TagFacts, at: datetime, format: Format) -> None:
    """A lone surrogate, which no registry gives, is the one thing that cannot be written."""
    message = Message(
        "msg_1", EventType.IMAGE_PUSHED, at, "https://panel.example/a/ours", facts.reference, facts
    )
    body = write(message, format, URL).body
    if body:
        event: Any = json.loads(body.decode())
        assert facts.tag in json.dumps(event, ensure_ascii=False) or "\\" in json.dumps(facts.tag)
        assert event.get("type", PREFIX).startswith((PREFIX, "PUSH_ARTIFACT"))
        assert isinstance(event.get("occur_at", 0), int)
