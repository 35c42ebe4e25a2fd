"""Ready commands for a fresh password, by tool. The password is read, piped or stored, never an argument."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

PLACEHOLDER = "NAMESPACE/IMAGE"
TYPE_IT = "read -rs PASSWORD"


@dataclass(frozen=True)
class Way:
    """One tab: `steps` are (what it does, what to run or write)."""

    key: str
    title: str
    steps: tuple[tuple[str, str], ...]


def ways(*, username: str, repository: str = "") -> list[Way]:
    """`repository` is one that the user may really reach, as team/api; without it a placeholder stands there."""
    host = settings.REGISTRY_HOST
    image = f"{host}/{repository or PLACEHOLDER}"
    # docker trusts localhost without TLS by itself; the others want to be told.
    plain = " --tls-verify=false" if settings.PUBLIC_URL.startswith("http://") else ""
    return [
        Way("docker", "Docker", (
            (_type_it(), TYPE_IT),
            (_("Log in:"), _login("docker", host, username)),
            (_("Then:"), f"docker pull {image}"),
        )),
        Way("podman", "Podman", (
            (_type_it(), TYPE_IT),
            (_("Log in:"), _login("podman", host, username) + plain),
            (_("Then:"), f"podman pull{plain} {image}"),
        )),
        Way("skopeo", "skopeo", (
            (_type_it(), TYPE_IT),
            (_("Log in:"), _login("skopeo", host, username) + plain),
            (_("Then:"), f"skopeo list-tags{plain} docker://{image}"),
        )),
        Way("kubernetes", "Kubernetes", (
            (_type_it(), TYPE_IT),
            (_("Create a secret of this name in the current namespace:"), _kubernetes(host, username)),
            (_("Name it in the pod:"), f"spec:\n  imagePullSecrets:\n    - name: registry-{username}"),
        )),
        Way("github", "GitHub Actions", (
            (_("Store the password as a secret of the repository; it is asked for:"),
             "gh secret set REGISTRY_PASSWORD"),
            (_("A step of the workflow:"), _github(host, username)),
        )),
        Way("gitlab", "GitLab CI", (
            (_("Add a masked variable REGISTRY_PASSWORD under Settings → CI/CD → Variables. The job:"),
             _gitlab(host, username, image)),
        )),
        Way("compose", "Compose", (
            (_("Log in once with docker as above. In compose.yaml:"),
             f"services:\n  app:\n    image: {image}:latest"),
            (_("Then:"), "docker compose pull\ndocker compose up -d"),
        )),
    ]  # fmt: skip


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


def _gitlab(host: str, username: str, image: str) -> str:
    return f"""push:
  image: docker:27
  services: [docker:27-dind]
  script:
    - printf %s "$REGISTRY_PASSWORD" | docker login {host} --username {username} --password-stdin
    - docker build -t {image}:$CI_COMMIT_SHORT_SHA .
    - docker push {image}:$CI_COMMIT_SHORT_SHA"""
