"""What `registry garbage-collect` prints, of both generations."""

import pytest

from registry_sync.reclaim import gc_output

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
PLAIN = f"""other/x
team/app
team/app: marking manifest {C}{" "}
team/app: marking blob {C}

3 blobs marked, 2 blobs and 0 manifests eligible for deletion
blob eligible for deletion: {A}
blob eligible for deletion: {B}
"""
UNTAGGED_2 = f"""manifest eligible for deletion: {C}

1 blobs marked, 1 blobs and 1 manifests eligible for deletion
blob eligible for deletion: {C}
"""
UNTAGGED_3 = f"""manifest eligible for deletion: {{team/app {C} [b c]}}

1 blobs marked, 1 blobs and 1 manifests eligible for deletion
blob eligible for deletion: {C}
team/app: layer link eligible for deletion: {A}
"""


def test_the_blobs_that_go_are_named() -> None:
    assert gc_output.parse(PLAIN.splitlines()) == gc_output.Eligible({A, B}, set())


@pytest.mark.parametrize(("printed", "repository"), [(UNTAGGED_2, ""), (UNTAGGED_3, "team/app")])
def test_manifests_without_a_tag_are_named_in_two_forms(printed: str, repository: str) -> None:
    assert gc_output.parse(printed.splitlines()) == gc_output.Eligible({C}, {(repository, C)})


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("", "no totals"),
        (f"blob eligible for deletion: {A}", "no totals"),
        (PLAIN.replace(f"blob eligible for deletion: {B}\n", ""), "counted 2 blobs and named 1"),
        (PLAIN.replace("2 blobs and", "0 blobs and"), "counted 0"),
    ],
)
def test_half_an_output_promises_nothing(printed: str, why: str) -> None:
    with pytest.raises(gc_output.Unreadable, match=why):
        gc_output.parse(printed.splitlines())


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        ("/usr/bin/docker-registry github.com/docker/distribution 2.8.2+ds1", 2),
        ("registry github.com/docker/distribution v2.8.3", 2),
        ("/bin/registry github.com/distribution/distribution/v3 v3.1.2+unknown", 3),
        ("registry github.com/distribution/distribution/v3 v3.0.0", 3),
        ("registry", 0),
    ],
)
def test_the_major_version_is_read(printed: str, major: int) -> None:
    assert gc_output.major_version(printed) == major
