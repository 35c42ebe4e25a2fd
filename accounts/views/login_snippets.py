"""Ready commands for a fresh password, by tool. The password is read, piped or stored, never an argument."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

TYPE_IT = "read -rs PASSWORD"


@dataclass(frozen=True)
class Example:
    """What the user may really reach, as repository "team/api" and tag "1.2"; without it, nothing."""

    repository: str = ""
    tag: str = ""
    may_push: bool = False


@dataclass(frozen=True)
class Snippet:
    """One tab: `steps` are (what it does, what to run or write)."""

    key: str
    title: str
    steps: tuple[tuple[str, str], ...]


def login_snippets(*, username: str, example: Example) -> list[Snippet]:
    host = settings.REGISTRY_HOST
    image = f"{host}/{example.repository}"
    tagged = f"{image}:{example.tag}" if example.tag else image
    # docker trusts localhost without TLS by itself; the others want to be told.
    plain = " --tls-verify=false" if settings.PUBLIC_URL.startswith("http://") else ""
    found = [
        Snippet("docker", "Docker", (
            (_type_it(), TYPE_IT),
            (_("Log in:"), _login("docker", host, username)),
            *_then(example, _use("docker", image, tagged, example)),
        )),
        Snippet("podman", "Podman", (
            (_type_it(), TYPE_IT),
            (_("Log in:"), _login("podman", host, username) + plain),
            *_then(example, _use("podman", image, tagged, example, plain)),
        )),
        Snippet("skopeo", "skopeo", (
            (_type_it(), TYPE_IT),
            (_("Log in:"), _login("skopeo", host, username) + plain),
            *_then(example, f"skopeo list-tags{plain} docker://{image}"),
        )),
        Snippet("kubernetes", "Kubernetes", (
            (_type_it(), TYPE_IT),
            (_("Create a secret of this name in the current namespace:"), _kubernetes(host, username)),
            (_("Reference it in the pod:"), f"spec:\n  imagePullSecrets:\n    - name: registry-{username}"),
        )),
        Snippet("github", "GitHub Actions", (
            (_("Store the password as a repository secret; you are asked for it:"),
             "gh secret set REGISTRY_PASSWORD"),
            (_("A step of the workflow:"), _github(host, username)),
        )),
        Snippet("gitlab", "GitLab CI", (
            (_("Add a masked variable REGISTRY_PASSWORD under Settings → CI/CD → Variables. The job:"),
             _gitlab(host, username, image, tagged, example)),
        )),
    ]  # fmt: skip
    if example.repository:
        found.append(Snippet("compose", "Compose", (
            (_("Log in once with docker as above. In compose.yaml:"),
             f"services:\n  app:\n    image: {image}:{example.tag or 'latest'}"),
            (_("Then:"), "docker compose pull\ndocker compose up -d"),
        )))  # fmt: skip
    return found


def _then(example: Example, command: str) -> list[tuple[str, str]]:
    return [(_("Then:"), command)] if example.repository else []


def _type_it() -> str:
    return _("Paste the password and press Enter; it is not shown:")


def _login(tool: str, host: str, username: str) -> str:
    return f'printf %s "$PASSWORD" | {tool} login {host} --username {username} --password-stdin'


def _kubernetes(host: str, username: str) -> str:
    return f"""kubectl apply -f - <<END
apiVersion: v1
kind: Secret
metadata:
  name: registry-{username}
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: '{{"auths":{{"{host}":{{"username":"{username}","password":"$PASSWORD"}}}}}}'
END"""


def _github(host: str, username: str) -> str:
    return f"""- uses: docker/login-action@v3
  with:
    registry: {host}
    username: {username}
    password: ${{{{ secrets.REGISTRY_PASSWORD }}}}"""


def _use(tool: str, image: str, tagged: str, example: Example, plain: str = "") -> str:
    if example.may_push:
        return f"{tool} tag nginx {image}\n{tool} push{plain} {image}"
    return f"{tool} pull{plain} {tagged}"


def _gitlab(host: str, username: str, image: str, tagged: str, example: Example) -> str:
    job, then = "login", ""
    if example.may_push:
        job = "push"
        then = f"""
    - docker build -t {image}:$CI_COMMIT_SHORT_SHA .
    - docker push {image}:$CI_COMMIT_SHORT_SHA"""
    elif example.repository:
        job, then = "pull", f"\n    - docker pull {tagged}"
    return f"""{job}:
  image: docker:27
  services: [docker:27-dind]
  script:
    - printf %s "$REGISTRY_PASSWORD" | docker login {host} --username {username} --password-stdin{then}"""
