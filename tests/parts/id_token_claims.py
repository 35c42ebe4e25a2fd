"""The claims that each kind of CI puts into its ID tokens, by name and type; `changes` replace or add some.

Not here: `iss`, `aud`, `iat`, `nbf`, `exp`, `jti`, which whoever signs adds (tests/parts/id_token_issuer.py).
"""

from typing import Any

Claims = dict[str, Any]

SHA = "8f4f1d3c0a7b5e29d6c1f0e4b3a2918d7c6e5f40"
OWNER_ID, REPOSITORY_ID = "583231", "1296269"
NAMESPACE_ID, PROJECT_ID = "72", "20"  # GitLab's are text too
ORGANIZATION, PROJECT = "4a4fd1f4-5d0c-4f8b-9b5b-6a3f0e6f1c11", "0e7c6a2e-0f0b-4a51-8a53-3c0b7c9d2e10"


def github(**changes: Any) -> Claims:
    """A push to main in a repository from before July 2026, whose `sub` has names alone."""
    workflow = "octo-org/api/.github/workflows/build.yaml@refs/heads/main"
    claims: Claims = {
        "sub": "repo:octo-org/api:ref:refs/heads/main",
        "ref": "refs/heads/main",
        "ref_type": "branch",
        "ref_protected": "true",
        "sha": SHA,
        "repository": "octo-org/api",
        "repository_id": REPOSITORY_ID,
        "repository_owner": "octo-org",
        "repository_owner_id": OWNER_ID,
        "repository_visibility": "private",
        "run_id": "19284756301",
        "run_number": "412",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "actor_id": "583232",
        "workflow": "build",
        "workflow_ref": workflow,
        "workflow_sha": SHA,
        "job_workflow_ref": workflow,
        "job_workflow_sha": SHA,
        "event_name": "push",
        "base_ref": "",
        "head_ref": "",
        "check_run_id": "55203948117",
    }
    return claims | changes


def github_with_ids(**changes: Any) -> Claims:
    """The same in a repository from after July 2026: `sub` carries the ids."""
    subject = f"repo:octo-org@{OWNER_ID}/api@{REPOSITORY_ID}:ref:refs/heads/main"
    return github(sub=subject) | changes


def github_pull_request(number: int = 9, **changes: Any) -> Claims:
    """A pull request against main, from a branch of the repository itself or of a fork: no claim tells which."""
    ref = f"refs/pull/{number}/merge"
    pulled: Claims = {
        "sub": "repo:octo-org/api:pull_request",
        "ref": ref,
        "ref_protected": "false",
        "event_name": "pull_request",
        "base_ref": "main",
        "head_ref": "try-this",
        "workflow_ref": f"octo-org/api/.github/workflows/build.yaml@{ref}",
        "job_workflow_ref": f"octo-org/api/.github/workflows/build.yaml@{ref}",
    }
    return github() | pulled | changes


def gitlab(**changes: Any) -> Claims:
    """A push to main. `user_id` and the like are text, `runner_id` is a number, `ref` has no `refs/heads/`."""
    claims: Claims = {
        "sub": "project_path:group/api:ref_type:branch:ref:main",
        "namespace_id": NAMESPACE_ID,
        "namespace_path": "group",
        "project_id": PROJECT_ID,
        "project_path": "group/api",
        "project_visibility": "private",
        "user_id": "1",
        "user_login": "sample-user",
        "user_email": "sample-user@example.com",
        "user_access_level": "developer",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "self-hosted",
        "sha": SHA,
        "ci_config_ref_uri": "gitlab.example.com/group/api//.gitlab-ci.yml@refs/heads/main",
        "ci_config_sha": SHA,
    }
    return claims | changes


def gitlab_merge_request(number: int = 9, **changes: Any) -> Claims:
    merged: Claims = {
        "sub": "project_path:group/api:ref_type:branch:ref:try-this",
        "pipeline_source": "merge_request_event",
        "ref": "try-this",
        "ref_path": f"refs/merge-requests/{number}/head",
        "ref_protected": "false",
    }
    return gitlab() | merged | changes


def forgejo(**changes: Any) -> Claims:
    """A push to main; its issuer is the server's `/api/actions`."""
    claims: Claims = {
        "sub": "repo:org/api:ref:refs/heads/main",
        "actor": "ada",
        "base_ref": "",
        "head_ref": "",
        "event_name": "push",
        "ref": "refs/heads/main",
        "ref_protected": "false",
        "ref_type": "branch",
        "repository": "org/api",
        "repository_owner": "org",
        "run_attempt": "1",
        "run_id": "71",
        "run_number": "12",
        "sha": SHA,
        "workflow": "build.yaml",
        "workflow_ref": "org/api/.forgejo/workflows/build.yaml@refs/heads/main",
    }
    return claims | changes


def buildkite(**changes: Any) -> Claims:
    """A build of main. `organization_id` and `pipeline_id` come only when the job asks for them (`--claim`)."""
    claims: Claims = {
        "sub": f"organization:acme:pipeline:api:ref:refs/heads/main:commit:{SHA}:step:build",
        "organization_slug": "acme",
        "organization_id": ORGANIZATION,
        "pipeline_slug": "api",
        "pipeline_id": PROJECT,
        "build_number": 1,
        "build_branch": "main",
        "build_commit": SHA,
        "build_source": "webhook",
        "step_key": "build",
        "job_id": "0184990a-477b-4fa8-9968-496074483cee",
        "agent_id": "0184990a-4782-42b5-afc1-16715b10b8ff",
        "runner_environment": "self-hosted",
    }
    return claims | changes


def circleci(**changes: Any) -> Claims:
    """Names of claims hold dots and a slash; the issuer is `https://oidc.circleci.com/org/ORGANIZATION`."""
    user = "f1a4c3b2-7d0e-4c1b-9f11-2d9f8e7a6b5c"
    origin = "github.com/acme/api"
    claims: Claims = {
        "sub": f"org/{ORGANIZATION}/project/{PROJECT}/user/{user}/vcs-origin/{origin}/vcs-ref/refs/heads/main",
        "oidc.circleci.com/project-id": PROJECT,
        "oidc.circleci.com/context-ids": ["a74579f1-2e7d-451e-b009-5c082ad2729e"],
        "oidc.circleci.com/vcs-origin": origin,
        "oidc.circleci.com/vcs-ref": "refs/heads/main",
        "oidc.circleci.com/ssh-rerun": False,
    }
    return claims | changes


def kubernetes(**changes: Any) -> Claims:
    """The token of a pod's service account, as the kubelet asks for it. Its `aud` is a list."""
    claims: Claims = {
        "sub": "system:serviceaccount:payments:api",
        "kubernetes.io": {
            "namespace": "payments",
            "serviceaccount": {"name": "api", "uid": "1f3c2b7a-1b7e-4c55-8f0e-6d7f2a9c4b10"},
            "pod": {"name": "api-6d4b75cb6d-hk8jz", "uid": "7b0a6d4e-9c1d-4a8f-b3c2-0e5f4d6c8a21"},
            "node": {"name": "node-1", "uid": "c2d4e6f8-0a1b-4c3d-8e5f-6a7b8c9d0e1f"},
        },
    }
    return claims | changes
