"""The last ID tokens that a user was refused with: what they said, what the policy wants, and a button to allow it."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import permissions, selectors
from accounts.common.errors import Conflict, Invalid
from accounts.common.translation import translate
from accounts.id_tokens.claims import find, flat, texts
from accounts.id_tokens.presets import preset_of
from accounts.id_tokens.proposals import name_for_people
from accounts.id_tokens.rule_text import added_text
from accounts.id_tokens.rules import LIKE, in_order, match
from accounts.models import RefusedIdToken, RegistryUser, TrustPolicy
from accounts.roles import Permission
from accounts.services import trust_policies
from accounts.views.button_permissions import denial_reason
from accounts.views.confirmation import Question, ask, asks
from accounts.views.form_errors import next_url
from accounts.views.request import PersonRequest, principal, tab


@dataclass(frozen=True)
class ClaimLine:
    """A claim of the token beside the rule about it, if there is one."""

    claim: str
    was: str
    wanted: str
    like: bool
    wrong: bool


@dataclass(frozen=True)
class RefusedLine:
    """`allows` is what Allow would add, "" where it cannot help; `otherwise` then says what would."""

    refused: RefusedIdToken
    name: str  # what people call whose job it is of
    rules: list[ClaimLine]
    rest: list[tuple[str, str]]
    allows: str
    preview_digest: str
    otherwise: str
    other_owner: bool
    allowed_now: bool


def refused_line(refused: RefusedIdToken) -> RefusedLine:
    policy = refused.policy
    rules = _besides_rules(policy, refused) if policy else []
    named = {each.claim for each in rules}
    if policy:
        wrong = {each.claim for each in match(policy.rules, refused.claims)}
        for claim, rule in in_order(policy.rules):
            ((how, values),) = rule.items()
            was = ", ".join(texts(find(refused.claims, claim)))
            rules.append(ClaimLine(claim, was, ", ".join(values), how == LIKE, claim in wrong))
            named.add(claim)
    rest = [
        (claim, ", ".join(values)) for claim, values in flat(refused.claims).items() if claim not in named
    ]
    allows, preview_digest, otherwise = _allows(refused)
    allowed_now = bool(policy) and not allows and not otherwise
    other_owner = bool(policy and trust_policies.names_other_owner(policy, refused))
    return RefusedLine(
        refused,
        name_for_people(refused.claims),
        rules,
        rest,
        allows,
        preview_digest,
        otherwise,
        other_owner,
        allowed_now,
    )


def _besides_rules(policy: TrustPolicy, refused: RefusedIdToken) -> list[ClaimLine]:
    """Return what the token was refused for where no rule is about it: whom it is for, or that it may only pull."""
    found = list[ClaimLine]()
    if refused.kind == RefusedIdToken.AUDIENCE:
        was = texts(find(refused.claims, "aud"))
        right = policy.audience in was
        found.append(ClaimLine("aud", ", ".join(was), policy.audience, False, not right))
    if refused.kind == RefusedIdToken.PULL_REQUEST and not policy.pull_requests_may_push:
        for claim in preset_of(refused.issuer.preset).says_pull_request(refused.claims):
            if claim not in policy.rules:
                was = texts(find(refused.claims, claim))
                found.append(ClaimLine(claim, ", ".join(was), _("no pull request"), False, True))
    return found


def _allows(refused: RefusedIdToken) -> tuple[str, str, str]:
    """Return what Allow would do, its digest, or what else has to be done; all "" where it is allowed by now."""
    policy = refused.policy
    if not policy:
        return "", "", _("The policy that this token came nearest to is no longer there.")
    try:
        change = trust_policies.change_that_allows(policy, refused)
    except Conflict as error:
        return "", "", error.message
    digest = trust_policies.digest_of(change)
    if refused.kind == RefusedIdToken.PULL_REQUEST:
        text = "" if policy.pull_requests_may_push else _("Lets jobs of pull requests push.")
        return text, digest, ""
    added = translate(added_text(match(policy.rules, refused.claims)))
    return (_("Adds %(claims)s to the policy.") % {"claims": added} if added else ""), digest, ""


def refused_lines(user: RegistryUser, most: int | None = None) -> list[RefusedLine]:
    found = list(selectors.refused_id_tokens_of(user)[:most])
    for each in found:
        each.user = user
        if each.policy:
            each.policy.user = user
    return [refused_line(each) for each in found]


@login_required
@require_safe
@tab("users")
def refused(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    user = permissions.user(principal(request), handle, username)
    context = {
        "account": user.account,
        "user": user,
        "lines": refused_lines(user),
        "why_not": denial_reason(user.account, Permission.USERS_MANAGE),
    }
    return render(request, "accounts/refused_id_tokens.html", context)


@login_required
@asks
@tab("users")
def allow(request: PersonRequest, handle: str, username: str, refused_id: int) -> HttpResponse:
    """Change the policy by just what was missing. A job of another owner is asked about first."""
    by = principal(request)
    row = permissions.refused_id_token(by, handle, username, refused_id)
    here = reverse("refused-id-tokens", args=[handle, username])
    back, line = next_url(request, here), refused_line(row)
    if not line.allows:
        messages.info(request, line.otherwise or _("Such tokens are allowed now."))
        return redirect(back)
    if request.method != "POST" or (line.other_owner and "other_owner" not in request.POST):
        return ask(request, _question(line, back, request.path))
    try:
        shown = request.POST.get("preview_digest", "")
        trust_policies.allow(
            by=by, refused=row, preview_digest=shown, other_owner="other_owner" in request.POST
        )
    except Invalid as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Allowed. Run the job again."))
    return redirect(back)


def _question(line: RefusedLine, back: str, act: str) -> Question:
    user = line.refused.user
    stops = [line.allows]
    if line.other_owner:
        warning = _(
            "This token comes from a job of somebody other than the policy names. Anybody can get such a token "
            "and try it here: allow it only if you know these IDs."
        )
        stops.insert(0, warning)
    fields = {"next": back, "preview_digest": line.preview_digest}
    return Question(
        title=_("Allow this token for %(user)s?") % {"user": user.description},
        stops=stops,
        button=_("Allow"),
        back=back,
        act=act,
        fields=fields | ({"other_owner": "yes"} if line.other_owner else {}),
    )
