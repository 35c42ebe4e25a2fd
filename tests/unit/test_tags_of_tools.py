"""namespaces/names.py: which tags are a tool's, and what they are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.names import TAG, is_technical, stem_of, technical_stem, technical_subject

HEX = "0123456789abcdef" * 4
LONG = "fedcba9876543210" * 8


@pytest.mark.parametrize(
    "tag",
    [
        f"sha256-{HEX}",  # OCI's list of referrers
        f"sha256-{HEX}.sig",
        f"sha256-{HEX}.att",
        f"sha256-{HEX}.sbom",
        f"sha256-{HEX}.src",  # Konflux
        f"sha256-{HEX}.imgpkg",  # Carvel
        f"sha256-{HEX}.image-locations.imgpkg",
        f"sha256-{HEX}.0123456789abcdef.sbom",  # regclient
        f"signed-by-ci-sha256-{HEX}.sig",  # cosign --attachment-tag-prefix
    ],
)
def test_a_tag_that_a_tool_made_of_a_digest(tag: str) -> None:
    assert TAG.fullmatch(tag)
    assert technical_subject(tag) == f"sha256:{HEX}"
    assert technical_stem(tag) == stem_of(f"sha256:{HEX}")


@pytest.mark.parametrize(
    ("tag", "digest"),
    [
        (f"sha512-{LONG[:64]}", f"sha512:{LONG}"),  # cut, since a tag has at most 128 characters
        (f"sha512-{LONG[:64]}.0123456789abcdef", f"sha512:{LONG}"),
        (f"sha384-{LONG[:96]}.sig", f"sha384:{LONG[:96]}"),
        (f"x-sha384-{LONG[:96]}.att", f"sha384:{LONG[:96]}"),
    ],
)
def test_of_a_longer_digest_the_beginning_tells(tag: str, digest: str) -> None:
    assert TAG.fullmatch(tag)
    assert technical_stem(tag) == stem_of(digest)
    assert digest.startswith(technical_subject(tag))


@pytest.mark.parametrize(
    "tag",
    [
        "1.0", "latest", "sha256", HEX, f"sha-{HEX[:7]}", f"sha1-{HEX[:40]}",
        f"sha256-{HEX[:63]}", f"sha256-{HEX.upper()}", f"build-sha256-{HEX}", f"v1.0-sha256-{HEX}.zip",
        f"sha256-{HEX[:20]}.sig",
    ],
)  # fmt: skip
def test_a_tag_that_people_made(tag: str) -> None:
    assert not is_technical(tag)
    assert technical_subject(tag) == ""


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.text("abc.-_09", max_size=40))
def test_whatever_follows(digits: str, rest: str) -> None:
    assert technical_subject(f"sha256-{digits}{rest}") == f"sha256:{digits}"
