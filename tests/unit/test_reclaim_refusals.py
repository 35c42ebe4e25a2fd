"""When garbage is not collected, and what the operator is told: each reason alone, beside where it is none."""

from dataclasses import replace

import pytest

from registry_sync.reclaim.refusals import ReclaimFacts, refusals

FINE = ReclaimFacts(version=3)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (replace(FINE, pull_through_cache=True), "pull-through cache"),
        (replace(FINE, version=2, delete_untagged=True), "--delete-untagged needs Distribution 3"),
        (replace(FINE, version=0, delete_untagged=True), "--delete-untagged needs Distribution 3"),
        (
            replace(FINE, light="stale", light_text="The last sync failed"),
            "not known to be true (The last sync failed). Press Sync now",
        ),
        (replace(FINE, deletions=("team/app", "team")), "under way in team/app, team. Run it again when"),
        (
            replace(FINE, sha512=("team/app@sha256:a",)),
            "sha512 digests although images use them: team/app@sha256:a.",
        ),
        (replace(FINE, schema_1=("team/old@sha256:b",)), "cannot read Docker schema 1 images"),
        (replace(FINE, version=0, schema_1=("team/old@sha256:b",)), "cannot read Docker schema 1 images"),
        (replace(FINE, needed=("sha256:c",)), "delete what images in the inventory need: sha256:c."),
        (
            replace(FINE, needed=("team/app@sha256:c",), delete_untagged=True),
            "need: team/app@sha256:c. Give these a tag each",
        ),
    ],
)
def test_each_reason_refuses_with_its_sentence(facts: ReclaimFacts, words: str) -> None:
    (sentence,) = refusals(facts)
    assert words in sentence


@pytest.mark.parametrize(
    "facts",
    [
        FINE,
        replace(FINE, version=2),
        replace(FINE, version=0),
        replace(FINE, delete_untagged=True),
        replace(FINE, version=2, schema_1=("team/old@sha256:b",)),
    ],
)
def test_what_is_safe_is_not_refused(facts: ReclaimFacts) -> None:
    assert refusals(facts) == []


def test_reasons_come_together_and_name_a_few() -> None:
    many = tuple(f"team/app{n}@sha256:a" for n in range(7))
    found = refusals(replace(FINE, deletions=("team/app",), sha512=many))
    assert len(found) == 2
    assert "team/app4@sha256:a and 2 more." in found[1]
