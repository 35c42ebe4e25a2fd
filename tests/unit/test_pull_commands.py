"""The commands that fetch a tag."""

import pytest

from namespaces.manifests.pull_commands import COMMAND_TEMPLATES, pull_commands
from namespaces.media_types import BY_TYPE, IMAGE, ArtifactKind, Group, Tool, artifact_kind

DIGEST = "sha256:" + "a" * 64
SUBJECT = "sha256:" + "b" * 64
CHART = BY_TYPE["application/vnd.cncf.helm."]


def lines(
    artifact_kind: ArtifactKind,
    tag: str = "1.0",
    *,
    tls: bool = True,
    subject: str = "",
    repository: str = "team/deep/app",
) -> dict[str, tuple[str, str]]:
    found = pull_commands(
        host="r.example",
        repository=repository,
        tag=tag,
        digest=DIGEST,
        artifact_kind=artifact_kind,
        tls=tls,
        subject=subject,
    )
    return {each.title: (each.by_tag, each.by_digest) for each in found}


def test_an_image_by_every_tool() -> None:
    found = lines(IMAGE)
    assert list(found) == ["Docker", "Podman", "skopeo", "crane", "Kubernetes"]
    assert found["Docker"] == (
        "docker pull r.example/team/deep/app:1.0",
        f"docker pull r.example/team/deep/app@{DIGEST}",
    )
    assert found["Kubernetes"][1] == f"image: r.example/team/deep/app@{DIGEST}"
    assert found["skopeo"][0] == "skopeo copy docker://r.example/team/deep/app:1.0 oci:app"


def test_a_chart_is_pulled_with_helm() -> None:
    found = lines(CHART, "1.2.0_build.5")
    assert found["Helm"] == (
        "helm pull oci://r.example/team/deep/app --version 1.2.0+build.5",
        f"helm pull oci://r.example/team/deep/app@{DIGEST}",
    )
    assert "Docker" not in found


def test_without_tls_each_tool_that_wants_to_be_told_is_told() -> None:
    found = lines(IMAGE, tls=False)
    assert found["Podman"][0] == "podman pull --tls-verify=false r.example/team/deep/app:1.0"
    assert found["Docker"][0] == "docker pull r.example/team/deep/app:1.0"


ALL = [*BY_TYPE.values(), IMAGE]


@pytest.mark.parametrize("each", ALL)
def test_each_kind_has_ways_and_without_a_tag_only_the_digest(each: ArtifactKind) -> None:
    found = lines(each, "", subject=SUBJECT)
    assert all(by_tag == "" and (DIGEST in exact or SUBJECT in exact) for by_tag, exact in found.values())
    assert all("{" not in text for texts in lines(each, tls=False).values() for text in texts)
    assert found or each.group is Group.CACHE


@pytest.mark.parametrize("each", ALL)
def test_docker_pulls_images_alone(each: ArtifactKind) -> None:
    commands = [text for texts in lines(each, subject=SUBJECT).values() for text in texts]
    assert any(text.startswith("docker pull ") for text in commands) == (each.group is Group.RUNS)


def test_every_tool_has_ways() -> None:
    assert set(COMMAND_TEMPLATES) == set(Tool)


AT = "r.example/team/llama"
MODELS = [
    ("ollama.", f"ollama pull {AT}:1.0", ""),
    ("cncf.model.", f"modctl pull {AT}:1.0", f"modctl pull {AT}@{DIGEST}"),
    ("kitops.modelkit.", f"kit unpack {AT}:1.0", f"kit unpack {AT}@{DIGEST}"),
    ("docker.ai.", f"docker model pull {AT}:1.0", f"docker model pull {AT}@{DIGEST}"),
    (
        "cncf.flux.",
        f"flux pull artifact oci://{AT}:1.0 --output llama",
        f"flux pull artifact oci://{AT}@{DIGEST} --output llama",
    ),
    ("wasm.", f"wkg oci pull {AT}:1.0 -o llama.wasm", f"wkg oci pull {AT}@{DIGEST} -o llama.wasm"),
]


@pytest.mark.parametrize(("kind", "by_tag", "by_digest"), MODELS)
def test_the_first_command_is_of_the_tool_that_made_it(kind: str, by_tag: str, by_digest: str) -> None:
    assert next(iter(lines(BY_TYPE[f"application/vnd.{kind}"], repository="team/llama").values())) == (
        by_tag,
        by_digest,
    )


def test_ollama_takes_no_deeper_names() -> None:
    assert "Ollama" not in lines(BY_TYPE["application/vnd.ollama."], repository="team/deep/llama")


def test_skopeo_copies_none_of_ollamas_models() -> None:
    """It takes only layers of Docker's own types in Docker's form of a manifest, in which Ollama writes."""
    found = lines(BY_TYPE["application/vnd.ollama."], repository="team/deep/llama", tls=False)
    assert "skopeo" not in found
    assert found["ORAS"][0] == (
        "oras copy --from-plain-http --to-oci-layout r.example/team/deep/llama:1.0 llama"
    )


def test_what_ollama_cannot_do_is_said_where_it_matters() -> None:
    for public in (False, True):
        (first, *others) = pull_commands(
            host="r.example", repository="team/llama", tag="1", digest=DIGEST, tls=True, public=public,
            artifact_kind=BY_TYPE["application/vnd.ollama."],
        )  # fmt: skip
        assert bool(first.note) != public
        assert not any(each.note for each in others)


def test_what_is_about_something_is_verified_by_that() -> None:
    bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
    about = f"r.example/team/deep/app@{SUBJECT}"
    signature = artifact_kind(
        kind="artifact", artifact_type=bundle, bundle="https://sigstore.dev/cosign/sign/v1"
    )
    assert lines(signature, "", subject=SUBJECT)["cosign"] == ("", f"cosign verify --key cosign.pub {about}")
    bill = artifact_kind(kind="artifact", artifact_type=bundle, bundle="https://spdx.dev/Document")
    assert lines(bill, tls=False, subject=SUBJECT)["cosign"][1] == (
        f"cosign verify-attestation --allow-http-registry --key cosign.pub --type spdxjson {about}"
    )
    assert "cosign" not in lines(bill)  # nobody knows what it is about


def test_a_tool_that_knows_tags_alone_has_no_command_without_one() -> None:
    found = [
        (kind, way) for kind in BY_TYPE.values() for way in COMMAND_TEMPLATES[kind.tool] if not way.digests
    ]
    assert found
    for kind, way in found:
        assert way.title in lines(kind, repository="team/app")
        assert way.title not in lines(kind, tag="", repository="team/app")
