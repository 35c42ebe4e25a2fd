"""The credential provider of docs/kubernetes.md, asked as the kubelet asks."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.parts.install import ROOT

pytestmark = pytest.mark.contract
PAPER = (ROOT / "docs/kubernetes.md").read_text()
ANNOTATION = "registry.example.com/user"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl_-"


def block(kind: str) -> str:
    """The first block of that kind."""
    found = re.search(rf"```{kind}\n(.*?)```", PAPER, re.DOTALL)
    assert found
    return found[1]


def write(folder: Path) -> Path:
    script = folder / "registry-manager"
    script.write_text(block("sh"))
    script.chmod(0o755)
    return script


def asked(script: Path, *arguments: str, **members: Any) -> dict[str, Any]:
    """What it answers. The kubelet writes its JSON on one line, without blanks."""
    request = {
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": "registry.example.com:8443/team/api:1",
        "serviceAccountToken": TOKEN,
        "serviceAccountAnnotations": {ANNOTATION: "wsbq5k5ysqyt"},
    } | members
    told = json.dumps({name: value for name, value in request.items() if value}, separators=(",", ":")) + "\n"
    command = [script, *(arguments or [ANNOTATION])]
    done = subprocess.run(command, input=told, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["apiVersion"] == "credentialprovider.kubelet.k8s.io/v1"
    assert answer["kind"] == "CredentialProviderResponse"
    assert (answer["cacheKeyType"], answer["cacheDuration"]) == ("Registry", "0s")
    return answer


def test_it_hands_the_token_on_as_the_password(tmp_path: Path) -> None:
    answer = asked(write(tmp_path))
    assert answer["auth"] == {"registry.example.com:8443": {"username": "wsbq5k5ysqyt", "password": TOKEN}}


@pytest.mark.parametrize("member", ["serviceAccountToken", "serviceAccountAnnotations", "image"])
def test_without_one_of_what_it_needs_it_offers_nothing(tmp_path: Path, member: str) -> None:
    assert asked(write(tmp_path), **{member: None})["auth"] is None


def test_who_has_no_annotation_is_the_user_that_the_configuration_names(tmp_path: Path) -> None:
    script = write(tmp_path)
    for annotations, user in ((None, "other"), ({ANNOTATION: "wsbq5k5ysqyt"}, "wsbq5k5ysqyt")):
        answer = asked(script, ANNOTATION, "other", serviceAccountAnnotations=annotations)
        assert [each["username"] for each in answer["auth"].values()] == [user]


@pytest.mark.parametrize(
    "value",
    ['a","password":"mine', "a\\", '","serviceAccountToken":"eyJ', "$(id)", "a b", "`id`", "é", "a\nb"],
)
def test_an_annotation_says_nothing_but_a_name(tmp_path: Path, value: str) -> None:
    """Whoever may annotate a service account may not write the answer, nor run anything on the node."""
    assert asked(write(tmp_path), serviceAccountAnnotations={ANNOTATION: value})["auth"] is None


def test_a_long_token_arrives_whole(tmp_path: Path) -> None:
    token = f"{TOKEN}{'x' * 12_000}"
    (auth,) = asked(write(tmp_path), serviceAccountToken=token)["auth"].values()
    assert auth["password"] == token


def test_the_configuration_names_it_and_hands_on_what_it_reads(tmp_path: Path) -> None:
    (provider,) = yaml.safe_load(block("yaml"))["providers"]
    assert provider["name"] == write(tmp_path).name
    assert (
        provider["args"]
        == provider["tokenAttributes"]["optionalServiceAccountAnnotationKeys"]
        == [ANNOTATION]
    )
    assert provider["tokenAttributes"]["cacheType"] == "Token"
