"""May this user do this, and why; and everybody who may."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import permissions
from accounts.common.errors import Invalid
from accounts.models import Account
from accounts.roles import Permission
from accounts.views.button_permissions import denial_reason
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces import access_check, selectors
from namespaces.access import Action
from namespaces.access_check import AccessAnswer, WhoMay
from namespaces.forms import AccessCheckForm, WhoMayForm
from namespaces.grant_text import GrantTarget
from namespaces.models import Namespace
from namespaces.names import split
from namespaces.search_query import parse_pasted_reference
from namespaces.views import denial_fixes
from namespaces.views.denial_fixes import Fix
from namespaces.views.grant_targets import unpushed_targets
from namespaces.views.navigation import access_context

_ALLOWED: dict[Action, Promise] = {
    Action.PULL: gettext_lazy("%(who)s may pull %(repository)s."),
    Action.PUSH: gettext_lazy("%(who)s may push %(repository)s."),
    Action.DELETE: gettext_lazy("%(who)s may delete %(repository)s."),
}
_DENIED: dict[Action, Promise] = {
    Action.PULL: gettext_lazy("%(who)s may not pull %(repository)s."),
    Action.PUSH: gettext_lazy("%(who)s may not push %(repository)s."),
    Action.DELETE: gettext_lazy("%(who)s may not delete %(repository)s."),
}
_WHO: dict[Action, Promise] = {
    Action.PULL: gettext_lazy("Who may pull %(repository)s"),
    Action.PUSH: gettext_lazy("Who may push %(repository)s"),
    Action.DELETE: gettext_lazy("Who may delete %(repository)s"),
}


@login_required
@require_safe
@tab("access")
def check(request: PersonRequest, handle: str) -> HttpResponse:
    """Answer `?user=&action=push&repository=team/api`. Without a repository only ask, about `?image=` or `?who=`."""
    account = permissions.account(principal(request), handle)
    form = AccessCheckForm(
        request.GET if "repository" in request.GET else None,
        account=account,
        initial={"repository": request.GET.get("image", ""), "user": request.GET.get("who", "")},
    )
    context = access_context(account, "check") | {
        "form": form,
        "repositories": selectors.repository_names(account),
    }
    if form.is_valid():
        try:
            answer = _answer(account, form.cleaned_data)
        except Invalid as error:
            put_errors(form, error)
        else:
            context |= _answer_context(account, answer, here=request.get_full_path())
    return render(request, "namespaces/access_check.html", context, status=status_of(form))


@login_required
@require_safe
@tab("access")
def who(request: PersonRequest, handle: str) -> HttpResponse:
    """Answer `?action=delete&repository=team/api`; without a repository, only ask."""
    account = permissions.account(principal(request), handle)
    form = WhoMayForm(request.GET if "repository" in request.GET else None)
    context = access_context(account, "who") | {
        "form": form,
        "repositories": selectors.repository_names(account),
    }
    if form.is_valid():
        try:
            found = _who_may(account, form.cleaned_data, cursor=request.GET.get("page", ""))
        except Invalid as error:
            put_errors(form, error)
        else:
            asked = found.everyone
            context |= {
                "found": found,
                "page": found.page,
                "title": _WHO[asked.action] % {"repository": asked.repository},
                "ours": _own(account, asked),
            }
    return render(request, "namespaces/access_who.html", context, status=status_of(form))


def _answer(account: Account, fields: dict[str, Any]) -> AccessAnswer:
    return access_check.check(
        account,
        user=fields["user"],
        action=Action(fields["action"]),
        repository=_repository(fields["repository"]),
    )


def _repository(typed: str) -> str:
    """Return `team/api` also of what people paste: `host/team/api:1.0`, `docker pull …`."""
    pasted = parse_pasted_reference(typed, host=settings.REGISTRY_HOST)
    return pasted.repository if pasted else typed


def _who_may(account: Account, fields: dict[str, Any], *, cursor: str) -> WhoMay:
    repository = _repository(fields["repository"])
    query = {"action": fields["action"], "repository": repository}
    return access_check.who_may(
        account, action=Action(fields["action"]), repository=repository, cursor=cursor, query=query
    )


def _answer_context(account: Account, answer: AccessAnswer, *, here: str) -> dict[str, Any]:
    verdict, user = answer.verdict, answer.user
    name = (
        _("%(name)s (%(username)s)") % {"name": user.description, "username": user.username} if user else ""
    )
    sentence = (_ALLOWED if verdict else _DENIED)[answer.action]
    _namespace_name, image_name = split(answer.repository)
    ours = _own(account, answer)
    return {
        "answer": answer,
        "verdict": verdict,
        "sentence": sentence % {"who": name or _("An anonymous client"), "repository": answer.repository},
        "ours": ours,
        "image_name": image_name,
        "unpushed": bool(ours and unpushed_targets([GrantTarget(ours, image_name)])),
        "fix": _fix(account, answer, own=ours is not None, here=here),
        "who_url": reverse("access-who", args=[account.handle])
        + "?"
        + urlencode({"action": answer.action.value, "repository": answer.repository}),
    }


def _own(account: Account, answer: AccessAnswer) -> Namespace | None:
    """Return the namespace, if it is the account's own."""
    namespace = answer.namespace
    return namespace if namespace and namespace.account_id == account.pk else None


def _fix(account: Account, answer: AccessAnswer, *, own: bool, here: str) -> Fix | None:
    """Return where the reader may change the answer; None for nowhere."""
    if answer.verdict:
        return None
    if answer.remedy:
        return denial_fixes.fix_of(account, answer.as_denial, answer.remedy.kind, here=here)
    if not own or answer.action is not Action.PULL or denial_reason(account, Permission.NAMESPACES_MANAGE):
        return None
    url = reverse("namespace-settings", args=[account.handle, split(answer.repository)[0]])
    return Fix(url, gettext_lazy("Change the visibility"))
