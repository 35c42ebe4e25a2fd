"""How a person points at something to compare: a truth table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.manifests.references import ManifestReference, parse_manifest_reference

DIGEST = "sha256:" + "a" * 64
HOST = "registry.example:5000"


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("1.0", ManifestReference("", "1.0", "")),
        (" latest ", ManifestReference("", "latest", "")),
        (DIGEST, ManifestReference("", "", DIGEST)),
        ("team/app:1.0", ManifestReference("team/app", "1.0", "")),
        ("team/deep/app:1.0", ManifestReference("team/deep/app", "1.0", "")),
        (f"{HOST}/team/app:1.0", ManifestReference("team/app", "1.0", "")),
        (f"team/app@{DIGEST}", ManifestReference("team/app", "", DIGEST)),
        (f"{HOST}/team/app:1.0@{DIGEST}", ManifestReference("team/app", "", DIGEST)),
        ("", None),
        ("team/app", None),
        ("team:1.0", None),
        ("other.example:5000/team/app", None),
        ("Team/app:1.0", None),
        ("team/app:1.0\n:2", None),
        ("team/app@1.0", None),
        ("sha256:abc", None),
        ("/team/app:1.0", None),
        ("team/../app:1.0", None),
    ],
)
def test_what_is_pointed_at(text: str, pointer: ManifestReference | None) -> None:
    assert parse_manifest_reference(text, host=HOST) == pointer


@given(st.text())
def test_any_text_is_one_or_none(text: str) -> None:
    found = parse_manifest_reference(text, host=HOST)
    assert found is None or bool(found.tag) != bool(found.digest)
