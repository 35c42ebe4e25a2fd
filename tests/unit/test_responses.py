"""What an answer with a manifest proves: its digest, also of Docker's first, signed form."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.common.lazy_text import LazyText
from registry_sync.client import RegistryError, responses

PAYLOAD = b'{\n   "schemaVersion": 1,\n   "name": "team/old",\n   "tag": "v1"\n}'
TAIL = b"\n}"
DIGEST = responses.digest_of(PAYLOAD)


def coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(protected: object) -> bytes:
    text = protected if isinstance(protected, str) else coded(json.dumps(protected).encode())
    signatures = json.dumps([{"header": {"alg": "ES256"}, "signature": "c2ln", "protected": text}])
    return PAYLOAD[: -len(TAIL)] + f',\n   "signatures": {signatures}'.encode() + TAIL


GOOD = signed({"formatLength": len(PAYLOAD) - len(TAIL), "formatTail": coded(TAIL)})


def fetched(
    body: bytes, media_type: str = responses.SIGNED_SCHEMA_1, digest: str = DIGEST
) -> responses.FetchedManifest:
    headers = {"Content-Type": media_type, "Docker-Content-Digest": digest}
    return responses.checked_manifest("team/old", "v1", headers, body)


def test_a_signed_manifests_digest_is_of_what_was_signed() -> None:
    found = fetched(GOOD)
    assert (found.digest, found.media_type, found.body) == (DIGEST, responses.SIGNED_SCHEMA_1, GOOD)
    assert json.loads(GOOD)["tag"] == "v1"


def test_another_form_cannot_say_so() -> None:
    with pytest.raises(RegistryError, match="not what its digest says"):
        fetched(GOOD, "application/vnd.oci.image.manifest.v1+json")


@pytest.mark.parametrize(
    "body",
    [
        GOOD.replace(b"team/old", b"team/new"),
        signed({"formatLength": 5, "formatTail": coded(TAIL)}),
        signed({"formatLength": "5", "formatTail": coded(TAIL)}),
        signed({"formatLength": len(PAYLOAD)}),
        signed("!"),
        signed([]),
        b'{"signatures": []}',
        b'{"signatures": [{"protected": 7}]}',
        b"[]",
        b"",
    ],
)
def test_what_was_not_signed_is_not_believed(body: bytes) -> None:
    with pytest.raises(RegistryError, match="not what its digest says"):
        fetched(body)


@given(st.binary())
def test_any_bytes_are_refused_in_words(body: bytes) -> None:
    with pytest.raises(RegistryError):
        fetched(body, digest="sha256:" + hashlib.sha256(b"another").hexdigest())


def errors(*codes: object) -> bytes:
    return json.dumps({"errors": [{"code": code} for code in codes]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, b"", responses.TemporaryFailure),
        (500, b"", responses.ServerError),
        (503, errors("UNAVAILABLE"), responses.ServerError),
        (500, b"unrecognized manifest schema version 1", responses.Schema1Unsupported),
        (401, errors("UNAUTHORIZED"), responses.Unauthorized),
        (404, errors("MANIFEST_UNKNOWN"), responses.NotInRegistry),
        (404, errors("UNSUPPORTED", "NAME_UNKNOWN"), responses.NotInRegistry),
        (404, errors("UNSUPPORTED"), responses.Rejected),
        (404, b"<html>404</html>", responses.Rejected),  # of a proxy
        (404, b'{"errors": null}', responses.Rejected),
        (404, b'{"errors": ["MANIFEST_UNKNOWN"]}', responses.Rejected),
        (405, errors("UNSUPPORTED"), responses.Rejected),
    ],
)
def test_only_the_registrys_own_word_is_an_absence(status: int, body: bytes, kind: type[Exception]) -> None:
    assert type(responses.error_of(status, body)) is kind


def test_a_clear_no_keeps_its_words_and_they_are_short() -> None:
    declined = responses.error_of(405, errors("UNSUPPORTED", "X" * 100))
    assert isinstance(declined, responses.Rejected)
    assert (declined.status, declined.codes) == (405, {"UNSUPPORTED", "X" * 40})
    assert str(declined) == f"the registry answers 405 UNSUPPORTED {'X' * 40}"
    assert str(responses.error_of(418, b"")) == "the registry answers 418"


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b"[" * 100_000, b"\xff"])
def test_what_is_no_object_is_no_answer(body: bytes) -> None:
    with pytest.raises(RegistryError):
        responses.json_object(body)


def test_a_compressed_answer_is_none() -> None:
    responses.require_identity_encoding({})
    responses.require_identity_encoding({"Content-Encoding": "identity"})
    with pytest.raises(RegistryError, match="compressed"):
        responses.require_identity_encoding({"Content-Encoding": "gzip"})


def test_the_catalog_counts_names_that_none_can_have() -> None:
    catalog = responses.Catalog()
    catalog.add(b'{"repositories": ["team/app", "Team/App", "../x"]}')
    catalog.add(b'{"repositories": ["team/lib"]}')
    assert (catalog.names, catalog.strange) == (["team/app", "team/lib"], 2)


@pytest.mark.parametrize(
    ("body", "found"),
    [(b'{"tags": null}', []), (b'{"tags": []}', []), (b'{"tags": ["1.0", "latest"]}', ["1.0", "latest"])],
)
def test_tags_are_a_list_or_null(body: bytes, found: list[str]) -> None:
    assert responses.tags(body) == found


@pytest.mark.parametrize("body", [b"{}", b'{"tags": "1.0"}', b'{"tags": [1]}', b'{"tags": ["a/b"]}'])
def test_what_is_no_list_of_tags_says_nothing(body: bytes) -> None:
    with pytest.raises(RegistryError):
        responses.tags(body)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("team/app", "tags/list"), "/v2/team/app/tags/list"),
        (("team/app", "manifests", "1.0"), "/v2/team/app/manifests/1.0"),
        (("team/app", "blobs", DIGEST), f"/v2/team/app/blobs/{DIGEST}"),
    ],
)
def test_names_become_addresses(arguments: tuple[str, ...], path: str) -> None:
    assert responses.api_path(*arguments) == path


@pytest.mark.parametrize(
    ("repository", "reference"),
    [("Team/App", ""), ("team/../x", ""), ("a" * 256, ""), ("team/app", "../x"), ("team/app", "sha256:1?x")],
)
def test_what_is_no_name_gets_into_no_address(repository: str, reference: str) -> None:
    with pytest.raises(RegistryError, match="not a name"):
        responses.api_path(repository, "manifests", reference)


def test_the_manifest_of_another_digest_is_not_what_was_asked_for() -> None:
    body = b"{}"
    digest = responses.digest_of(body)
    assert responses.checked_manifest("team/app", digest, {}, body) == responses.FetchedManifest(
        digest, "", body
    )
    with pytest.raises(RegistryError, match="another manifest came"):
        responses.checked_manifest("team/app", DIGEST, {"Content-Type": "a/b; charset=x"}, body)


def test_a_blob_is_what_its_digest_says() -> None:
    assert responses.checked_blob(responses.digest_of(b"x"), b"x") == b"x"
    with pytest.raises(RegistryError, match="not what its digest says"):
        responses.checked_blob(DIGEST, b"x")


URL, FIRST = "https://registry:5000", "/v2/_catalog?n=2"


@pytest.mark.parametrize(
    ("link", "path", "following"),
    [
        ("/v2/_catalog?last=b&n=2", FIRST, "/v2/_catalog?last=b&n=2"),
        (f"{URL}/v2/_catalog?n=2&last=b", FIRST, "/v2/_catalog?n=2&last=b"),
        ("/v2/_catalog?last=a%2Fb&n=2", "/v2/_catalog?last=a-b&n=2", "/v2/_catalog?last=a%2Fb&n=2"),
        ("/v2/_catalog?last=a-b&n=2", "/v2/_catalog?last=a%2Fb&n=2", "/v2/_catalog?last=a-b&n=2"),
    ],
)
def test_the_next_page_goes_forward_in_some_order(link: str, path: str, following: str) -> None:
    assert responses.next_page(link, URL, path) == following


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("https://elsewhere/v2/_catalog?last=b", FIRST),
        ("/v2/team/app/tags/list?last=b", FIRST),
        ("/v2/_catalog?n=2", FIRST),
        ("/v2/_catalog?last=b&last=c", FIRST),
        ("/v2/_catalog?last=b", "/v2/_catalog?last=b"),
        ("/v2/_catalog?last=a", "/v2/_catalog?last=b"),
    ],
)
def test_a_page_elsewhere_or_before_is_not_followed(link: str, path: str) -> None:
    with pytest.raises(RegistryError):
        responses.next_page(link, URL, path)


def test_pages_end() -> None:
    pages = responses.PageGuard()
    assert pages.visit("/1") == "/1"
    with pytest.raises(RegistryError, match="no end"):
        pages.visit("/1")
    for number in range(2, responses.PAGES_MAX + 1):
        pages.visit(f"/{number}")
    with pytest.raises(RegistryError, match="no end"):
        pages.visit("/one-more")


def test_a_manifest_that_is_known_is_asked_for_if_it_is_another() -> None:
    assert responses.manifest_headers() == {"Accept": responses.MANIFEST_TYPES}
    assert responses.manifest_headers(DIGEST)["If-None-Match"] == f'"{DIGEST}"'


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (responses.no_answer(TimeoutError()), "the registry does not answer (TimeoutError)"),
        (responses.too_long(4096), "the answer is longer than 4,096 bytes"),
        (responses.answers(405, "UNSUPPORTED"), "the registry answers 405 UNSUPPORTED"),
    ],
)
def test_an_error_keeps_its_sentence_for_other_languages(text: LazyText, written: str) -> None:
    error = RegistryError(text)
    assert (str(error), error.text.template) == (written, text.template)  # type: ignore[attr-defined]
