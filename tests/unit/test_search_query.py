"""namespaces/search_query.py: what somebody means who types into a filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.search_query import (
    ParsedQuery,
    PastedReference,
    clean,
    label_start,
    parse_label,
    parse_pasted_reference,
    parse_query,
)

HEXES = st.text("0123456789abcdef", min_size=64, max_size=64)


@pytest.mark.parametrize("typed", ["", "  ", "\x00", "\ud800"])
def test_nothing_is_nothing(typed: str) -> None:
    assert not parse_query(typed)


@pytest.mark.parametrize(
    ("typed", "text", "digest"),
    [
        ("1.9", "1.9", False), ("cafe", "cafe", False), ("deadbee", "deadbee", True), ("DEADBEE", "DEADBEE", True),
        ("20260101", "20260101", True), ("sha256:", "", True), ("sha256:a", "", True), ("SHA512:AB", "", True),
        ("sha256:xyz", "sha256:xyz", False), ("deadbeeg", "deadbeeg", False), ("a" * 65, "a" * 65, False),
    ],
)  # fmt: skip
def test_what_is_a_name_and_what_a_digest(typed: str, text: str, digest: bool) -> None:
    found = parse_query(typed)
    assert (found.text, found.digest is not None) == (text, digest)


@given(HEXES, st.integers(min_value=0, max_value=64), HEXES)
def test_the_range_holds_just_what_begins_so(digest: str, length: int, other: str) -> None:
    between = parse_query(f"sha256:{digest[:length]}").digest
    assert between
    for each in (digest, other):
        inside = between.first <= f"sha256:{each}" < between.end
        assert inside == each.startswith(digest[:length])
    assert not between.first <= f"sha512:{digest}{digest}" < between.end


@pytest.mark.parametrize("edge", ["f", "ff", "af", "9", "9ff", "ffffff0"])
def test_the_range_at_its_edges(edge: str) -> None:
    between = parse_query(f"sha256:{edge}").digest
    assert between
    assert between.first <= "sha256:" + edge.ljust(64, "f") < between.end
    assert between.first <= "sha256:" + edge.ljust(64, "0") < between.end


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("team/api", PastedReference("team/api")),
        ("r.example:5000/team/deep/api:1.0", PastedReference("team/deep/api", "1.0")),
        ("docker pull r.example:5000/team/api:1.0", PastedReference("team/api", "1.0")),
        ("team/api@sha256:ab", PastedReference("team/api", "", "sha256:ab")),
        ("team/api:1@sha256:ab", PastedReference("team/api", "1", "sha256:ab")),
        ("Team/Api", PastedReference("team/api")),
        ("Api:1.0-RC", PastedReference("api", "1.0-RC")),
        ("NGINX@SHA256:AB", PastedReference("nginx", "", "SHA256:AB")),
        ("R.Example:5000/Team/Api:Dev", PastedReference("team/api", "Dev")), ("SHA256:AB", None),
        ("HTTPS://R.EXAMPLE:5000/team/api", PastedReference("team/api")),
        ("LocalHost/team/api", PastedReference("team/api")),
        ("Docker pull r.example:5000/team/api:1", PastedReference("team/api", "1")),
        ("FROM R.EXAMPLE:5000/team/api:1 AS base", PastedReference("team/api", "1")),
        ("My.Team/App/api:1", PastedReference("app/api", "1", "", "my.team/app/api")),
        ("api:1.0", PastedReference("api", "1.0")), ("nginx@sha256:ab", PastedReference("nginx", "", "sha256:ab")),
        ("nginx:1@sha256:ab", PastedReference("nginx", "1", "sha256:ab")),
        ("http://r.example:5000/team/api", PastedReference("team/api")),
        ("https://other.example/team/api:1", PastedReference("team/api", "1")),
        ("localhost/team/api", PastedReference("team/api")),
        ("other:5000/team/api:1.0", PastedReference("team/api", "1.0")),
        ("docker://r.example:5000/team/api:1", PastedReference("team/api", "1")),
        ("oci://r.example:5000/team/chart", PastedReference("team/chart")),
        ("sudo docker pull --platform linux/arm64 r.example:5000/team/api:1.0", PastedReference("team/api", "1.0")),
        ("skopeo inspect docker://r.example:5000/team/api:1", PastedReference("team/api", "1")),
        ("http://r.example:5000/v2/team/deep/api/manifests/1.0", PastedReference("team/deep/api", "1.0")),
        ("r.example:5000/v2/team/api/blobs/sha256:ab", PastedReference("team/api", "", "sha256:ab")),
        ("docker run --rm r.example:5000/team/api:1 sh -c ls", PastedReference("team/api", "1")),
        ("FROM --platform=linux/arm64 r.example:5000/team/api:1 AS base", PastedReference("team/api", "1")),
        ('image: "r.example:5000/team/api:1"', PastedReference("team/api", "1")),
        ("$ skopeo copy docker://r.example:5000/team/api:1 oci:api", PastedReference("team/api", "1")),
        # A namespace may have a dot, as hosts have.
        ("my.team/api", PastedReference("my.team/api")),
        ("my.team/app/api:1", PastedReference("app/api", "1", "", "my.team/app/api")),
        ("http://r.example:5000/team", PastedReference("team")),
        ("api", None), ("sha256:ab", None), ("a / b", None), ("", None), ("docker pull", None), ("/", None),
        ("https://example.com/", None), (":1", None), ("@sha256:ab", None), ("key=value:1", None),
    ],
)  # fmt: skip
def test_a_pasted_reference(typed: str, found: PastedReference | None) -> None:
    assert parse_pasted_reference(typed, host="r.example:5000") == found


@given(st.text(), st.text())
def test_labels_are_looked_up_by_how_they_begin(value: str, other: str) -> None:
    value, other = clean(value), clean(other)
    key, start = parse_label(f"key={value}")
    if value and not value.startswith("http"):
        assert key == "key"
        assert (start.first <= label_start(value + other) < start.end) or "\U0010ffff" in value + other
    for each in (value, other):
        assert len(label_start(each)) <= 100


def test_an_address_is_found_without_its_scheme() -> None:
    _key, start = parse_label("Example.com/sh")
    assert start.first <= label_start("https://example.com/shop") < start.end


def test_wanted_is_false_only_when_empty() -> None:
    assert not ParsedQuery()
    assert ParsedQuery("a")
    assert parse_query("sha256:")
