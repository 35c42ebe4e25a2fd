"""What a policy may well say, read from the claims of one token: whose job it is, and what else there is. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.id_tokens.claims import Claims, flat, text, texts
from accounts.id_tokens.claims import find as find_claim
from accounts.id_tokens.presets import Preset
from accounts.id_tokens.rules import RESERVED, VALUE_LENGTH

OFFERED_MOST = 40
# Last parts of the names of claims that are another in each run: a rule on one would match that run alone.
_OF_ONE_RUN = frozenset(
    """jti sha run_id run_number run_attempt check_run_id head_sha base_sha workflow_sha job_workflow_sha ci_config_sha
    job_id job-id workflow-id workflow_id pipeline-id build_id build_number build_commit agent_id warnafter
    workflow-job-id runner_id user_access_level""".split()
)
_OF_ONE_RUN_BY_PRESET = {"gitlab": frozenset({"pipeline_id"})}
_NAMES = ("repository", "project_path", "pipeline_slug", "kubernetes.io.serviceaccount.name")
_OF_ONE_RUN_INSIDE = ("kubernetes.io.pod.", "kubernetes.io.node.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """`filled`: claim → value that nobody else can come by. `offered`: (claim, value) of the others.

    `name` is for people.
    """

    filled: Mapping[str, str]
    offered: tuple[tuple[str, str], ...]
    name: str


def propose(claims: Claims, preset: Preset) -> Proposal:
    """Return what a policy for this job may name. Without ids, what the issuer calls the job is all there is."""
    safe = [each.claim for each in preset.suggestions if each.safe] or list(preset.owner_claims)
    found = {name: texts(find_claim(claims, name)) for name in safe}
    filled = {name: values[0] for name, values in found.items() if values and len(values[0]) <= VALUE_LENGTH}
    offered = [
        (name, value)
        for name, values in flat(claims).items()
        for value in values
        if name not in filled and name not in RESERVED and 0 < len(value) <= VALUE_LENGTH
        if not _is_of_one_run(name, preset)
    ]
    return Proposal(filled, tuple(offered[:OFFERED_MOST]), name_for_people(claims))


def name_for_people(claims: Claims) -> str:
    """Return what people call whose job it is, such as the repository; "" where no claim says it. No rule names it."""
    return next((name for claim in _NAMES if (name := text(claims, claim))), "")[:VALUE_LENGTH]


def _is_of_one_run(name: str, preset: Preset) -> bool:
    last = name.rpartition(".")[2].rpartition("/")[2]
    of_one_run = _OF_ONE_RUN | _OF_ONE_RUN_BY_PRESET.get(preset.slug, frozenset())
    return last in of_one_run or name.startswith(_OF_ONE_RUN_INSIDE)
