"""The commands that sign a client in, push and pull: one wording, wherever they are shown."""

import re
from pathlib import Path

import pytest

from accounts.client_commands import Example, Registry, pull, push, sign_in, snippets

ROOT = Path(__file__).parents[2]
USER = "wsbq5k5ysqyt"
TLS, HTTP = Registry("r.example"), Registry("localhost:5000", tls=False)
NEW = Example("team/nginx", may_push=True)
PUSHED = Example("team/deep/api", "1.2", may_push=True)
READ = Example("team/api", "1.2")
EXAMPLES = [Example(), Example(empty_namespace="team"), Example("team/api"), NEW, PUSHED, READ]


def blocks(registry: Registry, example: Example) -> dict[str, list[str]]:
    return {
        each.key: [command for _text, command in each.steps] for each in snippets(registry, USER, example)
    }


def test_every_client_signs_in_the_same_way() -> None:
    assert sign_in(TLS, USER) == f"docker login r.example -u {USER}"
    assert sign_in(HTTP, USER) == f"docker login localhost:5000 -u {USER}"
    assert sign_in(TLS, USER, "podman") == f"podman login r.example -u {USER}"
    assert sign_in(HTTP, USER, "skopeo") == f"skopeo login localhost:5000 -u {USER} --tls-verify=false"
    assert [tab for tab, commands in blocks(TLS, NEW).items() if commands[0] == sign_in(TLS, USER)] == [
        "docker", "powershell", "compose",
    ]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("registry", [TLS, HTTP])
def test_what_asks_for_a_password_is_followed_by_nothing(registry: Registry, example: Example) -> None:
    """Pasted as text, the next line of the block would be the password."""
    for commands in blocks(registry, example).values():
        for command in commands:
            asks = re.search(r"login \S+ -u \S+(?: --tls-verify=false)?$|^read -rs", command, re.MULTILINE)
            assert not asks or "\n" not in command


def test_the_password_comes_from_a_file_too() -> None:
    found = blocks(TLS, NEW)
    assert found["stdin"][0] == f"docker login r.example -u {USER} --password-stdin < {USER}.txt"
    assert (
        found["powershell"][1]
        == f"Get-Content {USER}.txt | docker login r.example -u {USER} --password-stdin"
    )


def test_a_first_push_takes_an_image_that_everybody_can_fetch() -> None:
    assert push(TLS, NEW) == (
        "docker pull nginx\ndocker tag nginx r.example/team/nginx\ndocker push r.example/team/nginx"
    )
    assert push(HTTP, NEW, "podman").splitlines() == [
        "podman pull docker.io/library/nginx",
        "podman tag docker.io/library/nginx localhost:5000/team/nginx",
        "podman push --tls-verify=false localhost:5000/team/nginx",
    ]
    assert blocks(TLS, NEW)["skopeo"][1] == (
        "skopeo copy docker://docker.io/library/nginx docker://r.example/team/nginx"
    )


def test_what_was_pushed_before_is_never_replaced_by_the_sample() -> None:
    nginx = Example("team/nginx", "1.2", may_push=True)
    for example in (PUSHED, nginx):
        assert not re.search("docker pull|docker.io", "".join(map(str, blocks(TLS, example).values())))
    assert push(TLS, PUSHED) == "docker tag api r.example/team/deep/api\ndocker push r.example/team/deep/api"
    assert blocks(HTTP, PUSHED)["skopeo"][1] == (
        "skopeo copy --dest-tls-verify=false docker-daemon:api:latest docker://localhost:5000/team/deep/api"
    )


def test_who_can_only_pull_is_shown_no_push() -> None:
    found = blocks(HTTP, READ)
    assert found["docker"][1] == pull(HTTP, READ) == "docker pull localhost:5000/team/api:1.2"
    assert found["podman"][1] == "podman pull --tls-verify=false localhost:5000/team/api:1.2"
    assert (
        found["skopeo"][1]
        == "skopeo copy --src-tls-verify=false docker://localhost:5000/team/api:1.2 oci:api"
    )
    assert blocks(TLS, READ)["skopeo"][1] == "skopeo copy docker://r.example/team/api:1.2 oci:api"
    assert "docker pull localhost:5000/team/api:1.2" in found["gitlab"][0]
    assert "image: localhost:5000/team/api:1.2" in found["compose"][1]
    assert not any(" push" in command for commands in found.values() for command in commands)


def test_who_can_reach_nothing_is_shown_how_to_sign_in_and_no_more() -> None:
    found = blocks(TLS, Example())
    assert found["docker"] == [sign_in(TLS, USER)]
    assert "compose" not in found
    assert not re.search(r"r\.example/|docker (pull|push)", "".join(map(str, found.values())))


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_name_is_made_up(example: Example) -> None:
    text = "".join(map(str, blocks(TLS, example).values()))
    assert not re.search("IMAGE|NAMESPACE", text.replace("r.example", "").replace("IMAGE_", ""))


def test_the_readme_shows_the_same_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = re.findall(r"^\$ (docker (?:login|pull|tag|push) .*)", readme, re.MULTILINE)
    example = Example("devatoria/nginx", may_push=True)
    assert shown == [sign_in(HTTP, USER), *push(HTTP, example).splitlines()]


def test_no_page_words_them_by_itself() -> None:
    worded = re.compile(r"(docker|podman|skopeo) (login|tag|push) \S*[{$]")
    files = [
        *(ROOT / "templates").rglob("*.html"),
        *(
            path
            for app in ("accounts", "namespaces", "registry_sync", "manager")
            for path in (ROOT / app).rglob("*.py")
        ),
    ]
    found = {str(path.relative_to(ROOT)) for path in files if worded.search(path.read_text())}
    # The second writes the text of CI jobs, whose user signs in with the job's ID token.
    assert found <= {"accounts/client_commands.py", "accounts/id_tokens/job_texts.py"}
