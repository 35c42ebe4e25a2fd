"""A User-Agent in its short form: what real clients send, and what nobody knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.common.user_agent import LONGEST, browser, client_name, short

DOCKER = (
    "docker/27.5.1 go/go1.22.11 git-commit/4c9b3b0 kernel/6.8.0-51-generic os/linux arch/amd64 "
    "UpstreamClient(Docker-Client/27.5.1 \\(linux\\))"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
TABLE = {
    # as they were recorded
    DOCKER: "docker/27.5.1",
    "docker/20.10.24+dfsg1 go/go1.19.8 kernel/5.10 UpstreamClient(Docker-Client/28.2.2)": "docker/20.10.24",
    "Docker-Client/28.2.2 (linux)": "Docker-Client/28.2.2",
    "crane/v0.22.1 go-containerregistry/v0.22.1": "crane/0.22.1",
    "ko/v0.19.1 go-containerregistry/v0.21.7": "ko/0.19.1",
    "cosign/v3.1.3 (linux; amd64) go-containerregistry/v0.21.7": "cosign/3.1.3",
    "go-containerregistry/v0.20.2": "go-containerregistry/0.20.2",
    "regclient/regctl (v0.11.7)": "regctl/0.11.7",
    "regclient/regsync (v0.11.7)": "regsync/0.11.7",
    "oras/1.3.6": "oras/1.3.6",
    "oras-py": "oras-py",
    "ORAS-Java-SDK/0.2.15": "ORAS-Java-SDK/0.2.15",
    "Helm/4.3": "Helm/4.3",
    "skopeo/1.9.3": "skopeo/1.9.3",
    "containers/5.23.1 (github.com/containers/image)": "containers/5.23.1",
    "Buildah/1.28.2": "Buildah/1.28.2",
    "containerd/1.6.20~ds1": "containerd/1.6.20",
    "containerd/2.4.2+unknown": "containerd/2.4.2",
    "buildkit/v0.34": "buildkit/0.34",
    "jib 3.5.1 jib-maven-plugin Google-HTTP-Java-Client/1.42.2 (gzip)": "jib/3.5.1",
    "RenovateBot/39.264.1 (https://github.com/renovatebot/renovate)": "RenovateBot/39.264.1",
    "python-requests/2.34.2": "python-requests/2.34.2",
    "Go-http-client/1.1": "Go-http-client/1.1",
    # as their sources write them
    "ollama/0.5.7 (amd64 linux) Go/go1.23.4": "ollama/0.5.7",
    "cri-o/1.31.2 go/go1.23.1 os/linux arch/arm64": "cri-o/1.31.2",
    "docker/30.0.0-rc.1 go/go1.25": "docker/30.0.0-rc.1",
    "crane/(devel) go-containerregistry/(devel)": "crane",
    "Apache-HttpClient/4.5.13 (Java/17.0.1)": "Apache-HttpClient/4.5.13",
    WINDOWS: "Chrome/130",
    f"{WINDOWS} Edg/131.0.0.0": "Edge/131",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox/128",
    "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15": "Safari/17",
    "Mozilla/5.0 (compatible; something)": "Mozilla",
    # as earlier releases kept them: the first word alone
    "regclient/regctl": "regctl",
    "jib": "jib",
    # what nobody knows
    "": "",
    "newtool": "newtool",
    "newtool (build-7.corp.example; linux amd64)": "newtool",
    "newtool/2.0 host/build-7.corp.example kernel/6.8": "newtool/2.0",
    "newtool/build-7.corp.example": "newtool",
    "newtool/10.0.0.5": "newtool",
    "newtool/3f2a9c": "newtool",
    "newtool/6.8.0-51-generic": "newtool/6.8.0",
    "build-7.corp.example": "",
    "build-7.corp.example/1.0": "",
    # of two that are built alike nobody can tell which is a machine
    "k3s/1.31.4": "k3s/1.31.4",
    "web01/1.2.3": "web01/1.2.3",
    "10.0.0.5 newtool": "",
    "web-01": "",
    "(linux; amd64)": "",
    "/etc/passwd": "",
    "<script>alert(1)</script>": "",
    "tool\x00/1": "",
    "é/1.0": "",
    "x" * 200: "",
    "tool/" + "1" * 200: "tool",
}


@pytest.mark.parametrize(("agent", "expected"), TABLE.items())
def test_what_is_shown_of_it(agent: str, expected: str) -> None:
    assert short(agent) == expected


@given(st.text() | st.from_regex(r"[a-zA-Z]{1,50}(/v?[0-9.]{0,40})?( .*)?", fullmatch=True))
def test_it_is_short_and_plain_and_stays_as_it_is(agent: str) -> None:
    found = short(agent)
    assert len(found) <= LONGEST
    assert found.isascii()
    assert found.isprintable()
    assert " " not in found
    assert short(found) == found


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (WINDOWS, "Chrome/130, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox/128, Linux"),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0",
            "Chrome/130, Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) Version/17.6 Mobile Safari/604.1",
            "Safari/17, iOS",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_persons_own_browser_also_says_what_it_runs_on(agent: str, expected: str) -> None:
    assert browser(agent) == expected


@pytest.mark.parametrize(
    "agent", ["kernel/6.8.0-51-generic docker/27.5.1", "os/linux docker/27", "Kernel/6.8", "arch/amd64"]
)
def test_what_a_client_runs_on_is_no_name_of_it(agent: str) -> None:
    assert short(agent) == ""


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("Firefox/128, Linux", "Firefox on Linux"),
        ("Safari/17, iOS", "Safari on iOS"),
        ("Edge/130", "Edge"),
        ("curl/8.14.1", "curl/8.14.1"),
        ("docker/27.5.1, Linux", "docker/27.5.1, Linux"),
        ("", ""),
    ],
)
def test_people_call_a_browser_by_its_name_and_system(client: str, name: str) -> None:
    assert client_name(client) == name
