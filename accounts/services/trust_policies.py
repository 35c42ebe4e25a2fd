"""Trust policies of a user: which ID tokens of CI jobs act as it, in place of a password.

Whoever changes one holds the user's lock.
"""

import glob
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.id_tokens.presets import preset_of
from accounts.id_tokens.rule_text import rule_texts
from accounts.id_tokens.rules import IS, LIKE, Mismatch, match, problems, shown
from accounts.models import Account, IdTokenIssuer, Person, RefusedIdToken, RegistryUser, TrustPolicy
from accounts.names import clean_title
from accounts.principal import Principal
from accounts.selectors import usable_issuers
from accounts.services import swapped_passwords
from accounts.services.user_records import lock, record

POLICIES_MOST = 20  # of a user
NOTE_MAX = 200


class InvalidRules(Invalid):
    """`problems`: claim → what is wrong with its rule; "" is the claim of all of them together."""

    def __init__(self, found: Mapping[str, str]) -> None:
        self.problems = {claim: translate(problem) for claim, problem in found.items()}
        sentences = [f"{shown([claim])}: {each}" if claim else each for claim, each in self.problems.items()]
        super().__init__({"rules": sentences})


class ChangedMeanwhile(Conflict):
    """`version`: of what the policy says by now, for whoever wants to replace that."""

    def __init__(self, policy: TrustPolicy) -> None:
        self.version = version_of(policy)
        says = [translate(each) for each in rule_texts(policy.rules)]
        if policy.pull_requests_may_push:
            says.append(_("pull requests may push"))
        sentence = _(
            "Somebody has changed the policy in the meantime. It now says: %(rules)s. Save again to"
            " replace it with your version."
        )
        super().__init__({"": [sentence % {"rules": "; ".join(says)}]})


def version_of(policy: TrustPolicy) -> str:
    """Return a fingerprint of what may be edited in it."""
    return sha256(json.dumps(_facts(policy), sort_keys=True).encode()).hexdigest()[:32]


def audiences(account: Account) -> list[str]:
    """Return for whom a token may be made that is to be trusted here; the usual one first."""
    return [settings.PUBLIC_URL, f"{settings.PUBLIC_URL}/a/{account.handle}", settings.REGISTRY_HOST]


def issuer_for(account: Account, pk: int) -> IdTokenIssuer:
    """Return the issuer, if a policy of this account may trust it. Raise Invalid."""
    found = usable_issuers(account).filter(pk__in=[pk] if abs(pk) < 2**63 else []).first()
    if not found:
        raise Invalid.on("issuer", _("Select one of the issuers that this account may trust."))
    return found


@transaction.atomic
def create(
    *,
    by: Principal,
    user: RegistryUser,
    issuer: IdTokenIssuer,
    rules: Any,
    audience: str = "",
    pull_requests_may_push: bool = False,
    note: str = "",
) -> TrustPolicy:
    """Trust tokens of the issuer that keep all rules. Without an audience, the usual one. Raise Invalid, Conflict."""
    lock(user)
    # Who deletes the issuer has looked for policies of it, or waits until this one is there.
    IdTokenIssuer.objects.select_for_update(no_key=True).filter(pk=issuer.pk).first()
    issuer = issuer_for(user.account, issuer.pk)
    if TrustPolicy.objects.filter(user=user).count() >= POLICIES_MOST:
        raise Conflict.on("", _("A user has at most %(most)s trust policies.") % {"most": POLICIES_MOST})
    policy = TrustPolicy(user=user, issuer=issuer, created_by=Person.objects.filter(pk=by.person_id).first())
    _set(policy, rules=rules, audience=audience, pull_requests_may_push=pull_requests_may_push, note=note)
    policy.save()
    record(by, AuditAction.TRUST_POLICY_CREATED, user, after=_facts(policy))
    return policy


class PolicyChange(TypedDict, total=False):
    rules: Any
    audience: str
    pull_requests_may_push: bool
    note: str


@transaction.atomic
def edit(
    *,
    by: Principal,
    policy: TrustPolicy,
    enabled: bool | None = None,
    version: str | None = None,
    **change: Unpack[PolicyChange],
) -> TrustPolicy:
    """Change what is given; the rest stays, whoever changed it meanwhile. Raise Invalid, NotFound.

    `version`: of what was shown. Raise ChangedMeanwhile instead of replacing what somebody else wrote meanwhile.
    """
    _lock(policy)
    if version not in (None, version_of(policy)):
        raise ChangedMeanwhile(policy)
    _change(by, AuditAction.TRUST_POLICY_EDITED, policy, change)
    if enabled is not None:
        (enable if enabled else disable)(by=by, policy=policy)
    return policy


@transaction.atomic
def disable(*, by: Principal, policy: TrustPolicy) -> TrustPolicy:
    """No token signs in by it from now on, nor does a password that a job got for one."""
    _lock(policy)
    if not policy.disabled_at:
        policy.disabled_at = timezone.now()
        policy.save(update_fields=["disabled_at"])
        record(by, AuditAction.TRUST_POLICY_DISABLED, policy.user, before=_facts(policy))
    return policy


@transaction.atomic
def enable(*, by: Principal, policy: TrustPolicy) -> TrustPolicy:
    _lock(policy)
    if policy.disabled_at:
        policy.disabled_at = None
        policy.save(update_fields=["disabled_at"])
        record(by, AuditAction.TRUST_POLICY_ENABLED, policy.user, after=_facts(policy))
    return policy


@transaction.atomic
def delete(*, by: Principal, policy: TrustPolicy) -> None:
    """Delete it with the passwords that jobs got by it, which end at once."""
    _lock(policy)
    record(by, AuditAction.TRUST_POLICY_DELETED, policy.user, before=_facts(policy))
    policy.delete()


@transaction.atomic
def allow(
    *, by: Principal, refused: RefusedIdToken, preview_digest: str, other_owner: bool = False
) -> TrustPolicy:
    """Change the policy so that such a token is not refused again, and no more than that.

    Raise Conflict where no change of the policy helps, where it is another than the one of `preview_digest`, which the
    person was shown, and for a job of another owner unless `other_owner`. Raise NotFound where it was forgotten.
    """
    policy = refused.policy
    if policy is None:
        raise Conflict.on("", _("The policy that this token came nearest to is no longer there."))
    _lock(policy)
    try:
        refused.refresh_from_db(fields=["claims", "kind"])
    except RefusedIdToken.DoesNotExist:  # newer ones have pushed it out
        raise NotFound from None
    change = change_that_allows(policy, refused)
    if preview_digest != digest_of(change):
        raise Conflict.on(
            "", _("Another such token came in the meantime, or the policy was changed. Look again.")
        )
    if names_other_owner(policy, refused) and not other_owner:
        raise Conflict.on(
            "", _("This token comes from a job of somebody else. Confirm that you want to allow it.")
        )
    return _change(by, AuditAction.TRUST_POLICY_ALLOWED, policy, change)


def change_that_allows(policy: TrustPolicy, refused: RefusedIdToken) -> PolicyChange:
    """Return what `allow` changes. Raise Conflict, with what else has to be done, where nothing here helps."""
    if refused.kind == RefusedIdToken.PULL_REQUEST:
        return {"pull_requests_may_push": True}
    if refused.kind == RefusedIdToken.AUDIENCE:
        sentence = _(
            "The job has to ask for its token with the audience %(audience)s. The trust policy shows how."
        )
        raise Conflict.on("", sentence % {"audience": policy.audience})
    if refused.kind != RefusedIdToken.RULES:
        raise Conflict.on("", _("No change of the policy helps here; the job has to ask for another token."))
    mismatches = match(policy.rules, refused.claims)
    missing = [each.claim for each in mismatches if not each.first]
    if missing:
        sentence = _(
            "The token has no %(claims)s. Remove that rule from the policy, or have the job send it."
        )
        raise Conflict.on("", sentence % {"claims": ", ".join(missing)})
    return {"rules": {**policy.rules, **{each.claim: _widened(each) for each in mismatches}}}


def preview_digest(refused: RefusedIdToken) -> str:
    """Return the digest that `allow` asks for; "" where no change of the policy helps."""
    try:
        return digest_of(change_that_allows(refused.policy, refused)) if refused.policy else ""
    except Conflict:
        return ""


def digest_of(change: PolicyChange) -> str:
    """Return a fingerprint of what Allow would do, for whoever is shown it: the next such token may say more."""
    return sha256(json.dumps(change, sort_keys=True).encode()).hexdigest()[:32]


def names_other_owner(policy: TrustPolicy, refused: RefusedIdToken) -> bool:
    """Return whether the rules name another owner than the token: anybody can have such tokens made."""
    if refused.kind != RefusedIdToken.RULES:
        return False
    owners = preset_of(policy.issuer.preset).owner_claims
    return any(each.claim in owners for each in match(policy.rules, refused.claims))


def _widened(mismatch: Mismatch) -> dict[str, list[str]]:
    """Return the rule with one value more; of a claim with several, the first is enough."""
    value = mismatch.first
    if mismatch.like:
        return {LIKE: [*mismatch.wanted, glob.escape(value)]}
    return {IS: [*mismatch.wanted, value]}


def _lock(policy: TrustPolicy) -> None:
    """Lock the user, and read the policy as it is now. Raise NotFound for one that was deleted meanwhile."""
    lock(policy.user)
    try:
        policy.refresh_from_db(fields=["rules", "audience", "pull_requests_may_push", "note", "disabled_at"])
    except TrustPolicy.DoesNotExist:
        raise NotFound from None


def _change(by: Principal, action: AuditAction, policy: TrustPolicy, change: PolicyChange) -> TrustPolicy:
    before = _facts(policy)
    _set(policy, **change)
    if _facts(policy) != before:
        if action is AuditAction.TRUST_POLICY_EDITED and _lets_in(before) != _lets_in(_facts(policy)):
            swapped_passwords.end_all(policy)  # the new rules might not let those jobs in
        policy.save(update_fields=["rules", "audience", "pull_requests_may_push", "note"])
        record(by, action, policy.user, before=before, after=_facts(policy))
    return policy


def _set(policy: TrustPolicy, **change: Unpack[PolicyChange]) -> None:
    if "rules" in change:
        found = problems(change["rules"], preset_of(policy.issuer.preset), policy.issuer.url)
        if found:
            raise InvalidRules(found)
        policy.rules = change["rules"]
    if "audience" in change:
        policy.audience = _audience(change["audience"], policy.user.account)
    if "pull_requests_may_push" in change:
        policy.pull_requests_may_push = change["pull_requests_may_push"]
    if "note" in change:
        policy.note = _note(change["note"])


def _audience(given: str, account: Account) -> str:
    ours = audiences(account)
    if not given:
        return ours[0]
    if given not in ours:
        sentence = _("The audience must be one of this panel’s: %(audiences)s.")
        raise Invalid.on("audience", sentence % {"audiences": ", ".join(ours)})
    return given


def _note(text: str) -> str:
    text = clean_title(text)
    if len(text) > NOTE_MAX:
        raise Invalid.on("note", _("Use at most %(most)s characters.") % {"most": NOTE_MAX})
    return text


def _lets_in(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in facts.items() if name != "note"}


def _facts(policy: TrustPolicy) -> dict[str, object]:
    return {
        "issuer": str(policy.issuer),
        "audience": policy.audience,
        "rules": policy.rules,
        "pull_requests_may_push": policy.pull_requests_may_push,
        "note": policy.note,
    }
