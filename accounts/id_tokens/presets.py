"""What is known of the services whose jobs get ID tokens: issuers, whose jobs they are, and pull requests. PURE.

Rules match ids. Names can be given up and taken by somebody else; and since July 2026 the `sub` of GitHub's new
repositories is built in another way than that of old ones, so `sub` is suggested for no service that has ids.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from accounts.common.lazy_text import LazyText, verbatim
from accounts.common.lazy_text import lazy as _
from accounts.id_tokens.claims import Claims, text

Signs = Mapping[str, Callable[[str], bool]]  # a claim -> whether its text says "pull request"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A claim that a policy may well name. `safe`: nobody else can come by the same value."""

    claim: str
    label: str
    help: str = ""
    example: str = ""
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of issuer.

    `shared_issuers` sign for everybody's jobs, so a policy must say whose jobs it means, by one of `owner_claims`;
    with `always_owned` so must those of any issuer of this kind. An issuer that matches `issuer_pattern` is a service
    of known address, though each of its customers has one of its own. `pull_request_signs` has the
    claims that may say that a job is of a pull request; `tells_pull_requests` is False where no claim says it for sure.
    """

    slug: str
    name: str
    suggestions: tuple[Suggestion, ...]
    pull_request_signs: Signs = field(repr=False, hash=False, compare=False)
    shared_issuers: tuple[str, ...] = ()
    issuer_pattern: re.Pattern[str] | None = None
    issuer_example: str = ""  # of an instance of one's own
    owner_claims: tuple[str, ...] = ()
    always_owned: bool = False
    tells_pull_requests: bool = True
    warning: LazyText | None = None

    def is_shared(self, issuer: str) -> bool:
        return issuer in self.shared_issuers

    def wants_owner(self, issuer: str) -> bool:
        """Return whether a policy for this issuer has to name an owner."""
        return self.always_owned or self.is_shared(issuer)

    def says_pull_request(self, claims: Claims) -> list[str]:
        """Return the claims that say that the job is of a pull request; one that is missing may say so, too."""
        return [claim for claim, says_so in self.pull_request_signs.items() if says_so(text(claims, claim))]

    def is_pull_request(self, claims: Claims) -> bool:
        return bool(self.says_pull_request(claims))


# GitLab's. A child pipeline of a merge request is one as well, and its tokens do not say what started its parent.
_PULL_SOURCES = {"merge_request_event", "external_pull_request_event", "parent_pipeline"}
_PULL_REFS = ("refs/pull/", "refs/heads/pull/", "refs/merge-requests/")


def _of_pull_request(event: str) -> bool:
    return event.startswith("pull_request")


def _of_pull_ref(ref: str) -> bool:
    return ref.startswith(_PULL_REFS)


# GitHub's claims and Forgejo's, which are called alike; without an event it may be anything.
_GITHUB: Signs = {
    "event_name": lambda event: not event or _of_pull_request(event),
    "ref": _of_pull_ref,
    "head_ref": bool,
}
_GITLAB: Signs = {
    "pipeline_source": lambda source: not source or source in _PULL_SOURCES,
    "ref_path": _of_pull_ref,
}
# Of a fork the branch is called owner:branch, where the pipeline says so in its settings.
_BUILDKITE: Signs = {"build_branch": lambda branch: ":" in branch}
_CIRCLECI: Signs = {"oidc.circleci.com/vcs-ref": _of_pull_ref}
_ANY_SERVICE: Signs = {
    "event_name": _of_pull_request,
    "pipeline_source": lambda source: source in _PULL_SOURCES,
    "ref": _of_pull_ref,
}


_REPOSITORY_ID = _("Repository ID")
_OWNER_ID = _("Owner ID")
_BRANCH_OR_TAG = _("Branch or tag")
_ENVIRONMENT = _("Environment")
_WORKFLOW = _("Workflow file")
_WORKFLOW_HELP = _("The file that holds the job, with the branch that it was read from.")
_PROJECT_ID = _("Project ID")

GITHUB = Preset(
    slug="github",
    name="GitHub Actions",
    shared_issuers=("https://token.actions.githubusercontent.com",),
    issuer_example="https://github.example.com/_services/token",
    owner_claims=("repository_owner_id", "repository_id", "enterprise_id"),
    suggestions=(
        Suggestion(
            "repository_id",
            _REPOSITORY_ID,
            _("Printed by: gh api repos/OWNER/NAME --jq .id"),
            "74",
            safe=True,
        ),
        Suggestion(
            "repository_owner_id", _OWNER_ID, _("Printed by: gh api users/OWNER --jq .id"), "65", safe=True
        ),
        Suggestion("ref", _BRANCH_OR_TAG, _("As Git writes it in full."), "refs/heads/main"),
        Suggestion("environment", _ENVIRONMENT, _("Only for jobs that name an environment."), "production"),
        Suggestion(
            "job_workflow_ref",
            _WORKFLOW,
            _("For a reusable workflow, this is the reused file, not the one that calls it."),
            "octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main",
        ),
    ),
    pull_request_signs=_GITHUB,
)
GITLAB = Preset(
    slug="gitlab",
    name="GitLab CI/CD",
    shared_issuers=("https://gitlab.com",),
    issuer_example="https://gitlab.example.com",
    owner_claims=("namespace_id", "project_id", "job_project_id", "job_namespace_id"),
    suggestions=(
        Suggestion(
            "project_id",
            _PROJECT_ID,
            _("Under the project’s name, or in Settings → General."),
            "22",
            safe=True,
        ),
        Suggestion(
            "namespace_id", _("Group ID"), _("Under the group’s name, or in its settings."), "72", safe=True
        ),
        Suggestion("ref", _BRANCH_OR_TAG, _("The name alone, as GitLab shows it."), "main"),
        Suggestion("ref_type", _("Kind of ref"), _("branch or tag."), "branch"),
        Suggestion(
            "ref_protected", _("Protected ref"), _("true where the branch or tag is protected."), "true"
        ),
        Suggestion("environment", _ENVIRONMENT, _("Only for jobs that name an environment."), "production"),
    ),
    pull_request_signs=_GITLAB,
)
FORGEJO = Preset(
    slug="forgejo",
    name="Forgejo Actions",
    shared_issuers=("https://codeberg.org/api/actions",),
    issuer_example="https://forgejo.example.com/api/actions",
    owner_claims=("repository_owner_id", "repository_id"),
    suggestions=(
        Suggestion(
            "repository_id",
            _REPOSITORY_ID,
            _("The field “id” of /api/v1/repos/OWNER/NAME. Older versions do not send it."),
            "74",
            safe=True,
        ),
        Suggestion(
            "repository_owner_id", _OWNER_ID, _("The field “id” of /api/v1/users/OWNER."), "65", safe=True
        ),
        Suggestion("ref", _BRANCH_OR_TAG, _("As Git writes it in full."), "refs/heads/main"),
        Suggestion("workflow_ref", _WORKFLOW, _WORKFLOW_HELP),
    ),
    pull_request_signs=_GITHUB,
)
BUILDKITE = Preset(
    slug="buildkite",
    name="Buildkite",
    shared_issuers=("https://agent.buildkite.com",),
    owner_claims=("organization_id", "pipeline_id"),
    suggestions=(
        Suggestion(
            "pipeline_id",
            _("Pipeline ID"),
            _("In the pipeline’s settings. The job has to ask for it: --claim organization_id,pipeline_id"),
            safe=True,
        ),
        Suggestion(
            "organization_id",
            _("Organization ID"),
            _(
                "In the organization’s settings. The job has to ask for it: --claim organization_id,pipeline_id"
            ),
            safe=True,
        ),
        Suggestion("build_branch", _("Branch"), _("The name alone."), "main"),
        Suggestion("build_tag", _("Tag"), _("Only for builds of a tag."), "v*"),
        Suggestion("step_key", _("Step"), _("The key of the step, from the pipeline’s file."), "push"),
    ),
    pull_request_signs=_BUILDKITE,
    tells_pull_requests=False,
    warning=_(
        "Buildkite’s tokens do not say whether a build is of a pull request. Do not build forks in this pipeline, or"
        " have Buildkite prefix their branches: a branch with a colon counts as a pull request here."
    ),
)
CIRCLECI = Preset(
    slug="circleci",
    name="CircleCI",
    issuer_pattern=re.compile(r"https://oidc\.circleci\.com/org/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    issuer_example="https://oidc.circleci.com/org/ORGANIZATION_ID",
    owner_claims=("oidc.circleci.com/project-id",),
    suggestions=(
        Suggestion(
            "oidc.circleci.com/project-id", _PROJECT_ID, _("In Project Settings → Overview."), safe=True
        ),
        Suggestion(
            "oidc.circleci.com/vcs-ref", _BRANCH_OR_TAG, _("As Git writes it in full."), "refs/heads/main"
        ),
        Suggestion(
            "oidc.circleci.com/vcs-origin",
            _("Repository"),
            _("For a build of a fork, this is the fork."),
            "github.com/octo-org/octo-repo",
        ),
        Suggestion(
            "oidc.circleci.com/ssh-rerun", _("Rerun with SSH"), _("false keeps such reruns out."), "false"
        ),
    ),
    pull_request_signs=_CIRCLECI,
)
KUBERNETES = Preset(
    slug="kubernetes",
    name="Kubernetes",
    issuer_example="https://kubernetes.default.svc.cluster.local",
    owner_claims=(
        "kubernetes.io.namespace",
        "kubernetes.io.serviceaccount.uid",
        "sub",
    ),
    always_owned=True,
    suggestions=(
        Suggestion(
            "kubernetes.io.serviceaccount.uid",
            _("UID of the service account"),
            _("Printed by: kubectl get serviceaccount NAME -n NAMESPACE -o jsonpath={.metadata.uid}"),
            safe=True,
        ),
        Suggestion("kubernetes.io.namespace", _("Namespace of the cluster"), "", "production"),
        Suggestion("kubernetes.io.serviceaccount.name", _("Service account"), "", "default"),
    ),
    pull_request_signs={},
    warning=_(
        "Many clusters have the same issuer URL, and most do not publish their keys. So paste the cluster’s "
        "keys. They are printed by: kubectl get --raw /openid/v1/jwks"
    ),
)
OTHER = Preset(
    slug="other",
    name=verbatim("OIDC"),
    owner_claims=("sub",),
    suggestions=(Suggestion("sub", _("Subject"), _("How the issuer identifies whoever runs the job.")),),
    pull_request_signs=_ANY_SERVICE,
    tells_pull_requests=False,
)

PRESETS = {
    preset.slug: preset for preset in (GITHUB, GITLAB, FORGEJO, BUILDKITE, CIRCLECI, KUBERNETES, OTHER)
}


def preset_of(slug: str) -> Preset:
    """Return the preset; of an unknown one, and of "", that for any issuer."""
    return PRESETS.get(slug, OTHER)


def preset_of_issuer(issuer: str) -> Preset | None:
    """Return the service whose own issuer this is, None for all that anybody may run."""
    for preset in PRESETS.values():
        pattern = preset.issuer_pattern
        if preset.is_shared(issuer) or (pattern and pattern.fullmatch(issuer)):
            return preset
    return None
