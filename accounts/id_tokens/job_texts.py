"""What a CI job needs so that its ID token signs it in: a text for each preset, ready to copy. PURE.

No text holds a secret. In each the login stands just before the push: most ID tokens end after a few minutes.
"""

from dataclasses import dataclass

from accounts.client_commands import Example, Registry
from accounts.common.lazy_text import lazy as _


@dataclass(frozen=True, slots=True)
class Login:
    """Who signs in where, and for whom the token has to be made."""

    registry: Registry
    username: str
    audience: str
    example: Example

    @property
    def command(self) -> str:
        """Reads the token from its standard input."""
        return f"docker login {self.registry.host} -u {self.username} --password-stdin"

    @property
    def image(self) -> str:
        """What is built and pushed; a made-up name for a user without permissions."""
        return f"{self.registry.host}/{self.example.repository or 'NAMESPACE/IMAGE'}"


def job_text(preset: str, login: Login) -> tuple[tuple[str, str], ...]:
    """Return (what it is, what to write) for the jobs of a preset; of an unknown one, as for any issuer."""
    return _TEXTS.get(preset, _other)(login)


def exchange_text(login: Login, public_url: str) -> tuple[tuple[str, str], ...]:
    """Return how a job whose push comes later than its token ends swaps it for a password of one hour."""
    command = f"""PASSWORD=$(curl -sSf {public_url}/auth/exchange \\
  -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange \\
  -d subject_token_type=urn:ietf:params:oauth:token-type:id_token \\
  -d subject_token="$ID_TOKEN" -d username={login.username} | jq -r .access_token)
printf %s "$PASSWORD" | {login.command}"""
    return ((_("With the ID token in $ID_TOKEN, at the start of the job:"), command),)


def _request(login: Login) -> str:
    """Ask for a token as GitHub and Forgejo give it, and sign in with it."""
    return f"""curl -sSf -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience={login.audience}" |
            jq -r .value | {login.command}"""


def _github(login: Login) -> tuple[tuple[str, str], ...]:
    workflow = f"""jobs:
  push:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@v4
      - run: docker build -t {login.image}:${{{{ github.sha }}}} .
      - name: Log in just before the push
        run: |
          {_request(login)}
      - run: docker push {login.image}:${{{{ github.sha }}}}"""
    return ((_("In .github/workflows/push.yml:"), workflow),)


def _forgejo(login: Login) -> tuple[tuple[str, str], ...]:
    workflow = f"""enable-openid-connect: true
jobs:
  push:
    runs-on: docker
    steps:
      - uses: actions/checkout@v4
      - run: docker build -t {login.image}:${{{{ github.sha }}}} .
      - name: Log in just before the push
        run: |
          {_request(login)}
      - run: docker push {login.image}:${{{{ github.sha }}}}"""
    return ((_("In .forgejo/workflows/push.yml:"), workflow),)


def _gitlab(login: Login) -> tuple[tuple[str, str], ...]:
    job = f"""push:
  image: docker:27
  services: [docker:27-dind]
  id_tokens:
    REGISTRY_ID_TOKEN:
      aud: {login.audience}
  script:
    - docker build -t {login.image}:$CI_COMMIT_SHORT_SHA .
    - printf %s "$REGISTRY_ID_TOKEN" | {login.command}
    - docker push {login.image}:$CI_COMMIT_SHORT_SHA"""
    return ((_("In .gitlab-ci.yml:"), job),)


def _buildkite(login: Login) -> tuple[tuple[str, str], ...]:
    step = f"""steps:
  - label: ":docker: Push"
    command: |
      docker build -t {login.image}:$$BUILDKITE_COMMIT .
      buildkite-agent oidc request-token --audience {login.audience} \\
        --claim organization_id,pipeline_id |
        {login.command}
      docker push {login.image}:$$BUILDKITE_COMMIT"""
    return ((_("In .buildkite/pipeline.yml:"), step),)


def _circleci(login: Login) -> tuple[tuple[str, str], ...]:
    claims = f'{{"aud": "{login.audience}"}}'
    config = f"""version: 2.1
jobs:
  push:
    docker: [{{image: cimg/base:current}}]
    steps:
      - checkout
      - setup_remote_docker
      - run: docker build -t {login.image}:$CIRCLE_SHA1 .
      - run: |
          circleci run oidc get --claims '{claims}' |
            {login.command}
      - run: docker push {login.image}:$CIRCLE_SHA1
workflows:
  push: {{jobs: [push]}}"""
    return ((_("In .circleci/config.yml:"), config),)


def _kubernetes(login: Login) -> tuple[tuple[str, str], ...]:
    pod = f"""apiVersion: v1
kind: Pod
metadata:
  name: push
spec:
  serviceAccountName: push
  containers:
    - name: push
      image: quay.io/skopeo/stable
      command: [sh, -c]
      args:
        - |
          skopeo login {login.registry.host} -u {login.username} --password-stdin \\
            < /var/run/secrets/registry/token
          skopeo copy docker://docker.io/library/nginx docker://{login.image}:latest
      volumeMounts:
        - {{name: registry, mountPath: /var/run/secrets/registry, readOnly: true}}
  volumes:
    - name: registry
      projected:
        sources:
          - serviceAccountToken:
              audience: {login.audience}
              expirationSeconds: 600
              path: token"""
    return (
        (_("Show the keys of the cluster, to paste them where its issuer is added:"),
         "kubectl get --raw /openid/v1/jwks"),
        (_("A pod that pushes with the token of its service account:"), pod),
    )  # fmt: skip


def _other(login: Login) -> tuple[tuple[str, str], ...]:
    command = f"""printf %s "$ID_TOKEN" | {login.command}
docker push {login.image}"""
    text = _("With an ID token for the audience %(audience)s in $ID_TOKEN:", audience=login.audience)
    return ((text, command),)


_TEXTS = {
    "github": _github,
    "gitlab": _gitlab,
    "forgejo": _forgejo,
    "buildkite": _buildkite,
    "circleci": _circleci,
    "kubernetes": _kubernetes,
}
