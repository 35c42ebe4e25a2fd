"""What is recorded of a token request, in memory and written later: the last use, and what was denied."""

from accounts.access_denials import KEPT, SOURCES_MOST, Denied, denials
from accounts.common.client_ip import Origin
from accounts.last_used import Use, uses
from namespaces.access import Verdict
from namespaces.ledger import granted
from registry_sync.tokens.access_list import (
    ResourceActions,
    denied_actions,
    fold_copy_sources,
)
from registry_sync.tokens.invalid_names import explain_invalid
from registry_sync.tokens.queries import AuthenticatedUser, Caller
from registry_sync.tokens.results import Result
from registry_sync.tokens.scope import ParsedScopes


def record(caller: Caller, scopes: ParsedScopes, access: list[ResourceActions], origin: Origin) -> Result:
    """Record what was granted, and of a user the use of its password and the denied actions. Return what came of it."""
    user = caller.user
    actions = sum(len(entry["actions"]) for entry in access)
    complete = not scopes.invalid and actions == sum(len(each.actions) for each in scopes.requested)
    result = _result(scopes, access, complete=complete)
    if not user:
        if access:
            granted.note(access, origin, account=None, username="", secret=0)
        return result
    if access:
        granted.note(access, origin, account=user.account, username=user.username, secret=user.credential)
    uses.note(Use(user.account, user.username, origin, user.secret_id, user.policy_id))
    if not complete:
        _record_denials(user, caller, scopes, access, origin)
    return result


def _result(scopes: ParsedScopes, access: list[ResourceActions], *, complete: bool) -> Result:
    if not complete:
        return Result.PARTIAL if access else Result.DENIED
    return Result.GRANTED if access else Result.SIGNED_IN


def _record_denials(
    user: AuthenticatedUser,
    caller: Caller,
    scopes: ParsedScopes,
    access: list[ResourceActions],
    origin: Origin,
) -> None:
    denied = fold_copy_sources(
        scopes.requested, denied_actions(scopes.requested, caller.contexts, access), origin.client
    )
    for each in denied[:KEPT]:
        record_denial(user, each.verdict, origin, each.repository, each.action, each.sources)
    for name in explain_invalid(scopes.invalid):
        denials.note(Denied(user.username, *name, origin, user.account))
    denials.lose(user.username, len(denied) - KEPT)


def record_denial(
    user: AuthenticatedUser,
    verdict: Verdict,
    origin: Origin,
    repository: str = "",
    action: str = "",
    sources: tuple[str, ...] = (),
) -> None:
    """`repository` and `action` are "" where the user was denied whatever it asked."""
    why = (verdict.reason, verdict.remedy)
    denials.note(
        Denied(user.username, repository, action, *why, origin, user.account, sources=sources[:SOURCES_MOST])
    )
