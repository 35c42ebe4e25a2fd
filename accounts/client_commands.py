"""What people type to sign a client in, to push and to pull. Pages, README and tests take the commands from here. PURE.

The command that asks for a password is a block of its own: pasted as text, a line after it would be the password.
"""

from dataclasses import dataclass
from typing import Final

from accounts.common.lazy_text import lazy as _

SAMPLE_IMAGE: Final = "nginx"  # for a first push: every engine can fetch it
_SAMPLE_SOURCE: Final = f"docker.io/library/{SAMPLE_IMAGE}"
READ_PASSWORD: Final = "read -rs PASSWORD"  # noqa: S105 (a command)


@dataclass(frozen=True, slots=True)
class Registry:
    """`host` as clients name it, with the port if it has one. `tls`: False for http, which clients must be told."""

    host: str
    tls: bool = True

    @property
    def flag(self) -> str:
        """For podman and skopeo; docker trusts localhost by itself."""
        return "" if self.tls else " --tls-verify=false"


@dataclass(frozen=True, slots=True)
class Example:
    """What a user may really reach: repository "team/api", and a tag "1.2" of it, "" when nothing was pushed.

    Without anything to reach `repository` is "". `empty_namespace` is then the namespace that it may pull from as soon
    as somebody pushes to it, or "" for a user without permissions. `first_push_url` is the page that will show a first
    push, "" when something was pushed already.
    """

    repository: str = ""
    tag: str = ""
    may_push: bool = False
    empty_namespace: str = ""
    first_push_url: str = ""

    @property
    def name(self) -> str:
        """Of the image on the machine that pushes it."""
        return self.repository.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Snippet:
    """One tab: `steps` are (what it does, what to run or write)."""

    key: str
    title: str
    steps: tuple[tuple[str, str], ...]


def sign_in(registry: Registry, username: str, tool: str = "docker") -> str:
    """Return the one way to sign in a client: it asks for the password."""
    flag = "" if tool == "docker" else registry.flag
    return f"{tool} login {registry.host} -u {username}{flag}"


def push(registry: Registry, example: Example, tool: str = "docker") -> str:
    """Return the lines that push an image of this machine; the sample is fetched first."""
    target, local, fetch, flag = f"{registry.host}/{example.repository}", example.name, "", ""
    if tool == "podman":
        flag = registry.flag
    if local == SAMPLE_IMAGE and not example.tag:
        local = _SAMPLE_SOURCE if tool == "podman" else SAMPLE_IMAGE
        fetch = f"{tool} pull {local}\n"
    return f"{fetch}{tool} tag {local} {target}\n{tool} push{flag} {target}"


def pull(registry: Registry, example: Example, tool: str = "docker") -> str:
    flag = registry.flag if tool == "podman" else ""
    return f"{tool} pull{flag} {_reference(registry, example)}"


def snippets(registry: Registry, username: str, example: Example) -> list[Snippet]:
    """Return a tab for each tool, the most common first. No command holds the password."""
    kubernetes = (
        (_("Paste the password and press Enter; it is not shown:"), READ_PASSWORD),
        (_("Create a secret in the current namespace:"), _kubernetes(registry, username)),
        (_("Use it in the pod:"), f"spec:\n  imagePullSecrets:\n    - name: registry-{username}"),
    )
    github = (
        (
            _("Store the password as a repository secret; you are asked for it:"),
            "gh secret set REGISTRY_PASSWORD",
        ),
        (_("A step of the workflow:"), _github(registry, username)),
    )
    gitlab = _("Add a masked variable REGISTRY_PASSWORD under Settings → CI/CD → Variables. The job:")
    found = [
        Snippet("docker", "Docker", _by_prompt(registry, username, example, "docker")),
        Snippet("stdin", _("From a file"), _from_file(registry, username, example)),
        Snippet("powershell", "PowerShell", _powershell(registry, username, example)),
        Snippet("podman", "Podman", _by_prompt(registry, username, example, "podman")),
        Snippet("skopeo", "skopeo", _by_prompt(registry, username, example, "skopeo")),
        Snippet("kubernetes", "Kubernetes", kubernetes),
        Snippet("github", "GitHub Actions", github),
        Snippet("gitlab", "GitLab CI", ((gitlab, _gitlab(registry, username, example)),)),
    ]
    if example.repository:
        found.append(Snippet("compose", "Compose", _compose(registry, username, example)))
    return found


def _by_prompt(registry: Registry, username: str, example: Example, tool: str) -> tuple[tuple[str, str], ...]:
    login = (
        _("Sign in, and paste the password when you are asked for it:"),
        sign_in(registry, username, tool),
    )
    return (login, *_then(registry, example, tool))


def _from_file(registry: Registry, username: str, example: Example) -> tuple[tuple[str, str], ...]:
    text = _("In a script, with the downloaded password file:")
    return (text, f"{_with_stdin(registry, username)} < {username}.txt"), *_then(registry, example)


def _powershell(registry: Registry, username: str, example: Example) -> tuple[tuple[str, str], ...]:
    login, *then = _by_prompt(registry, username, example, "docker")
    from_file = f"Get-Content {username}.txt | {_with_stdin(registry, username)}"
    return login, (_("Or, in a script, with the downloaded password file:"), from_file), *then


def _with_stdin(registry: Registry, username: str) -> str:
    return f"{sign_in(registry, username)} --password-stdin"


def _then(registry: Registry, example: Example, tool: str = "docker") -> list[tuple[str, str]]:
    if not example.repository:
        return []
    if tool == "skopeo":
        command = _skopeo(registry, example)
    else:
        command = (push if example.may_push else pull)(registry, example, tool)
    return [(_("Then push:") if example.may_push else _("Then pull:"), command)]


def _skopeo(registry: Registry, example: Example) -> str:
    source = "" if registry.tls else " --src-tls-verify=false"
    if not example.may_push:
        return f"skopeo copy{source} docker://{_reference(registry, example)} oci:{example.name}"
    sample = example.name == SAMPLE_IMAGE and not example.tag
    local = f"docker://{_SAMPLE_SOURCE}" if sample else f"docker-daemon:{example.name}:latest"
    target = "" if registry.tls else " --dest-tls-verify=false"
    return f"skopeo copy{target} {local} docker://{registry.host}/{example.repository}"


def _compose(registry: Registry, username: str, example: Example) -> tuple[tuple[str, str], ...]:
    image = f"{registry.host}/{example.repository}:{example.tag or 'latest'}"
    return (
        (_("Sign in, and paste the password when you are asked for it:"), sign_in(registry, username)),
        (_("In compose.yaml:"), f"services:\n  app:\n    image: {image}"),
        (_("Then:"), "docker compose pull\ndocker compose up -d"),
    )


def _reference(registry: Registry, example: Example) -> str:
    image = f"{registry.host}/{example.repository}"
    return f"{image}:{example.tag}" if example.tag else image


def _kubernetes(registry: Registry, username: str) -> str:
    entry = f'"{registry.host}":{{"username":"{username}","password":"$PASSWORD"}}'
    return f"""kubectl apply -f - <<END
apiVersion: v1
kind: Secret
metadata:
  name: registry-{username}
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: '{{"auths":{{{entry}}}}}'
END"""


def _github(registry: Registry, username: str) -> str:
    return f"""- uses: docker/login-action@v3
  with:
    registry: {registry.host}
    username: {username}
    password: ${{{{ secrets.REGISTRY_PASSWORD }}}}"""


def _gitlab(registry: Registry, username: str, example: Example) -> str:
    job, then, image = "login", "", f"{registry.host}/{example.repository}"
    if example.may_push:
        job = "push"
        then = f"""
    - docker build -t {image}:$CI_COMMIT_SHORT_SHA .
    - docker push {image}:$CI_COMMIT_SHORT_SHA"""
    elif example.repository:
        job, then = "pull", f"\n    - docker pull {_reference(registry, example)}"
    login = f'printf %s "$REGISTRY_PASSWORD" | {_with_stdin(registry, username)}'
    return f"""{job}:
  image: docker:27
  services: [docker:27-dind]
  script:
    - {login}{then}"""
