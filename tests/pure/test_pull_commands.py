"""The commands that fetch a tag."""

import pytest

from namespaces.inside.artifacts import Group
from namespaces.inside.pull_commands import pull_commands

DIGEST = "sha256:" + "a" * 64


def lines(group: Group, tag: str = "1.0", *, tls: bool = True) -> dict[str, tuple[str, str]]:
    found = pull_commands(
        host="r.example", repository="team/deep/app", tag=tag, digest=DIGEST, group=group, tls=tls
    )
    return {each.title: (each.by_tag, each.by_digest) for each in found}


def test_an_image_by_every_tool() -> None:
    found = lines(Group.RUNS)
    assert list(found) == ["Docker", "Podman", "skopeo", "crane", "Kubernetes"]
    assert found["Docker"] == (
        "docker pull r.example/team/deep/app:1.0",
        f"docker pull r.example/team/deep/app@{DIGEST}",
    )
    assert found["Kubernetes"][1] == f"image: r.example/team/deep/app@{DIGEST}"
    assert found["skopeo"][0] == "skopeo copy docker://r.example/team/deep/app:1.0 oci:app"


def test_a_chart_is_pulled_with_helm() -> None:
    found = lines(Group.CHART, "1.2.0_build.5")
    assert found["Helm"] == (
        "helm pull oci://r.example/team/deep/app --version 1.2.0+build.5",
        f"helm pull oci://r.example/team/deep/app@{DIGEST}",
    )
    assert "Docker" not in found


def test_without_tls_each_tool_that_wants_to_be_told_is_told() -> None:
    found = lines(Group.RUNS, tls=False)
    assert found["Podman"][0] == "podman pull --tls-verify=false r.example/team/deep/app:1.0"
    assert found["Docker"][0] == "docker pull r.example/team/deep/app:1.0"


@pytest.mark.parametrize("group", list(Group))
def test_every_group_has_ways_and_without_a_tag_only_the_digest(group: Group) -> None:
    assert all(by_tag == "" and DIGEST in by_digest for by_tag, by_digest in lines(group, "").values())
    assert all("{" not in by_tag for by_tag, _ in lines(group).values())
