"""What the panel takes a manifest for is what Go's decoder does, of the structs that registries and clients use."""

import base64
import json
from collections.abc import Iterator
from subprocess import PIPE, Popen
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from namespaces.names import DIGEST
from registry_sync.inventory.parser import INDEXES, MANIFESTS, SIZE_MAX, ParsedManifest, parse
from tests.parts import install
from tests.parts.fixtures import need
from tests.parts.images import INDEX, MANIFEST

ONE, TWO, THREE = (f"sha256:{letter * 64}" for letter in "abc")
KEYS = (
    "manifests layers config subject annotations digest size mediaType artifactType platform os architecture "
    "urls data os.features os.version schemaVersion strange"
).split()


class Go:
    def __init__(self, program: str) -> None:
        self.process = Popen([program], stdin=PIPE, stdout=PIPE, text=True)

    def read(self, media_type: str, body: bytes) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        kind = "index" if media_type in INDEXES else "manifest"
        self.process.stdin.write(f"{kind} {base64.b64encode(body).decode()}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def go() -> Iterator[Go]:
    need("go-manifests")
    started = Go(str(install.built("go-manifests")))
    yield started
    started.process.communicate()


def in_any_case(word: str) -> st.SearchStrategy[str]:
    """As written most of the time; also with the two letters that fold into ASCII."""
    folding = word.replace("k", "\u212a").replace("s", "\u017f")
    return st.sampled_from([word, word, word, word.upper(), word.title(), folding, f"{word}\u017f"])


TEXT = st.one_of(
    st.sampled_from([ONE, TWO, THREE, MANIFEST, INDEX, "AAA=", "A", ""]).map(json.dumps),
    st.sampled_from(['"\\ud800"', '"\\ud83d\\ude00"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x"', '"']),
    st.text(max_size=4).map(json.dumps),
)
NUMBER = st.one_of(
    st.sampled_from(["0", "-0", "7", "-7", "255", "256", "1.0", "1e2", "01", "NaN", "-Infinity", "9" * 30]),
    st.sampled_from([str(2**63 - 1), str(2**63), str(-(2**63)), str(-(2**63) - 1), str(SIZE_MAX)]),
)
NULL = st.just("null")


def of_one(value: st.SearchStrategy[str], *others: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The right kind of value nearly always."""
    return st.integers(0, 19).flatmap(lambda n: st.one_of(*others, NULL) if n == 0 else value)


def array(value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(value, max_size=3).map(lambda values: f"[{', '.join(values)}]")


def record(**fields: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The fields in any order, none or several times, in any case, and some that nobody knows."""
    known = [
        st.tuples(in_any_case(name.replace("__", ".")).map(json.dumps), of_one(value, ANY, NULL, NULL))
        for name, value in fields.items()
    ]
    strange = st.tuples(st.sampled_from(['"strange"', '"\\ud800"']), ANY)
    pairs = st.lists(st.one_of(*known, *known, strange), max_size=7)
    return pairs.map(lambda some: "{" + ", ".join(f"{key}: {value}" for key, value in some) + "}")


ANY = st.recursive(
    TEXT | NUMBER | st.sampled_from(["true", "false", "null", "", "'"]),
    lambda each: (
        array(each) | st.tuples(st.sampled_from(KEYS), each).map(lambda kv: f'{{"{kv[0]}": {kv[1]}}}')
    ),
    max_leaves=4,
)
DIGESTS = st.sampled_from([ONE, TWO, THREE]).map(json.dumps)
SIZES = st.integers(0, 9).map(str)
ANNOTATIONS = record(a=TEXT, b=TEXT)
PLATFORM = record(os=TEXT, architecture=TEXT, os__version=TEXT, os__features=array(TEXT), variant=TEXT)
DESCRIPTOR = record(
    digest=DIGESTS, size=of_one(SIZES, NUMBER), mediaType=TEXT, artifactType=TEXT, annotations=ANNOTATIONS,
    platform=PLATFORM, urls=array(TEXT), data=st.sampled_from(['"AAA="', '"AA\\n=="', "[1, null, 255]", "[-0]", '"A"']),
)  # fmt: skip
BODY = record(
    schemaVersion=st.just("2"), manifests=array(DESCRIPTOR), layers=array(DESCRIPTOR), config=DESCRIPTOR,
    subject=DESCRIPTOR, annotations=ANNOTATIONS, artifactType=TEXT, mediaType=TEXT,
).map(lambda text: text.encode(errors="replace"))  # fmt: skip
# Bytes that are no UTF-8, or no JSON at all, anywhere in it.
ODD = st.sampled_from([b"\xe9", b"\xe2\x82", b"\xed\xa0\x80", b"}", b"\x00"])
BROKEN = st.tuples(BODY, st.integers(0, 400), ODD).map(lambda it: it[0][: it[1]] + it[2] + it[0][it[1] :])


def deep(levels: int) -> bytes:
    return (
        b'{"strange": '
        + b"[" * (levels - 1)
        + b"]" * (levels - 1)
        + b', "layers": [{"digest": "%s"}]}' % ONE.encode()
    )


@settings(deadline=None, max_examples=400)
@given(BODY | BROKEN, st.sampled_from([INDEX, MANIFEST]))
@example(b"null", MANIFEST)
@example(b'\xef\xbb\xbf{"layers": []}', MANIFEST)
@example(b'{"layers": null, "LAYERS": [{}, {"digest": "x"}], "Layers": [{}], "layers": [{}, {}]}', MANIFEST)
@example(b'{"subject": {"digest": "%s"}, "subject": {"size": 3}}' % ONE.encode(), MANIFEST)
@example(b'{"subject": {"digest": "%s"}, "Subject": null}' % ONE.encode(), INDEX)
@example(b'{"manifests": [{"digest": "%s"}], "manifests": null}' % ONE.encode(), INDEX)
@example(b'{"annotations": {"a": "caf\xe9"}, "layers": [{"digest": "%s"}]}' % ONE.encode(), MANIFEST)
@example(b'{"manifests": [{"mediaType": "%s"}]}' % ONE.encode(), INDEX)
@example(
    b'{"manifests": [{"mediaType": "%s", "digest": "%s"}, {}]}' % (MANIFEST.encode(), ONE.encode()), INDEX
)
@example(deep(10_000), MANIFEST)
@example(deep(10_001), MANIFEST)
@example(b'{"strange": "' + b'\\"' * 2_000_000 + b'", "layers": [{"digest": "%s"}]}' % ONE.encode(), MANIFEST)
@example(b'{"strange": "' + b'\\"' * 2_000_000, MANIFEST)
@example(b'{"strange": ' + b"9" * 4_000_000 + b"}", MANIFEST)
@example(b'{"strange": [' + b"[]," * 1_000_000 + b"[]]}", MANIFEST)
def test_a_manifest_is_what_go_takes_it_for(go: Go, body: bytes, media_type: str) -> None:
    said = go.read(media_type, body)
    found = parse(body, media_type)
    assert (found.kind == "unknown") == (said is None)
    if said is not None:
        assert shown(found) == expected(said)


def shown(found: ParsedManifest) -> dict[str, Any]:
    return {
        "children": {each.digest for each in found.parts if each.kind == "manifest"},
        "platforms": [each["platform"] for each in found.platforms],
        "layers": [
            (each["digest"], each["size"], each["media_type"]) for each in found.details.get("layers", [])
        ],
        "subject": found.subject,
        "config": {each.digest for each in found.parts if each.kind == "config"},
        "config_type": found.config_type,
        "annotations": found.details["annotations"],
    }


def expected(said: Any) -> dict[str, Any]:
    """Of Go's words, with what no database takes left out."""
    listed, config = said.get("manifests") or [], said.get("config") or {}
    manifests = [each for each in listed if text(each["mediaType"]) in MANIFESTS]
    # What an index lists of another type is a blob.
    layers = (said.get("layers") or []) + [each for each in listed if each not in manifests]
    return {
        "children": {each["digest"] for each in manifests if good(each)},
        "platforms": [platform(each.get("platform") or {}) for each in manifests],
        "layers": [
            (each["digest"] if good(each) else "", size(each), text(each["mediaType"])) for each in layers
        ],
        "subject": said["subject"]["digest"] if good(said.get("subject") or {}) else "",
        "config": {config["digest"]} - {each["digest"] for each in layers} if good(config) else set(),
        "config_type": text(config.get("mediaType", "")),
        "annotations": {text(key): text(value) for key, value in said.get("annotations", {}).items()},
    }


def platform(said: dict[str, Any]) -> str:
    """Of each word what a page has room for."""
    system, version, *others = (
        text(said.get(key, ""))[:40] for key in ("os", "os.version", "architecture", "variant")
    )
    system += f"({version})" if system and version else ""
    words = [system, *others]
    return "/".join(filter(None, words))


def good(descriptor: dict[str, Any]) -> bool:
    return DIGEST.fullmatch(descriptor.get("digest", "")) is not None


def size(descriptor: dict[str, Any]) -> int:
    claimed: int = descriptor["size"]
    return claimed if 0 <= claimed < SIZE_MAX else 0


def text(value: str) -> str:
    return value.replace("\x00", "")
