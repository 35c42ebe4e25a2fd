"""What an operator does to a person: each act asks first, and says what becomes of what the person has."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import people_list, reauthentication, reset_links
from accounts.common.errors import Conflict
from accounts.models import Account, Person
from accounts.services import person_access, second_factors
from accounts.templatetags.cells import when
from accounts.views.confirmation import Question, ask, asks
from accounts.views.request import PersonRequest, principal
from registry_sync.operations import permissions
from registry_sync.operations.views.navigation import operators, system_context


@operators
@asks
def disable(request: PersonRequest, person_id: int) -> HttpResponse:
    found = permissions.person(principal(request), person_id)
    if request.method != "POST":
        return ask(request, _disabling(found))
    done = _("%(person)s is disabled and signed out everywhere.") % {"person": found}
    return _confirmed(request, _carry_out, found, person_access.disable, done)


@operators
@require_POST
def enable(request: PersonRequest, person_id: int) -> HttpResponse:
    found = permissions.person(principal(request), person_id)
    done = _("%(person)s can sign in again.") % {"person": found}
    return _carry_out(request, found, person_access.enable, done)


@operators
@asks
def end_sessions(request: PersonRequest, person_id: int) -> HttpResponse:
    found = permissions.person(principal(request), person_id)
    if request.method != "POST":
        return ask(request, _ending_sessions(found))
    done = _("%(person)s is signed out everywhere.") % {"person": found}
    return _carry_out(request, found, person_access.end_sessions, done)


@operators
@asks
def make_operator(request: PersonRequest, person_id: int) -> HttpResponse:
    found = permissions.person(principal(request), person_id)
    if request.method != "POST":
        return ask(request, _promoting(found))
    done = _("%(person)s is an operator now.") % {"person": found}
    return _confirmed(request, _carry_out, found, person_access.make_operator, done)


@operators
@asks
def unmake_operator(request: PersonRequest, person_id: int) -> HttpResponse:
    found = permissions.person(principal(request), person_id)
    if request.method != "POST":
        return ask(request, _demoting(found))
    done = _("%(person)s is no longer an operator.") % {"person": found}
    return _confirmed(request, _carry_out, found, person_access.unmake_operator, done)


@operators
@asks
def reset_factors(request: PersonRequest, person_id: int) -> HttpResponse:
    found = permissions.person(principal(request), person_id)
    if request.method != "POST":
        return ask(request, _resetting_factors(found))
    done = _("The second factors of %(person)s are removed.") % {"person": found}
    return _confirmed(request, _carry_out, found, second_factors.reset, done)


@operators
@asks
@never_cache
def reset_link(request: PersonRequest, person_id: int) -> HttpResponse:
    found = permissions.person(principal(request), person_id)
    if request.method != "POST":
        return ask(request, _resetting(found))
    return _confirmed(request, _create_reset_link, found)


def _create_reset_link(request: PersonRequest, found: Person) -> HttpResponse:
    try:
        link = reset_links.create(by=principal(request), person=found)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("system-person", found.pk)
    if not link:
        messages.success(request, _("A password reset link was sent to %(person)s.") % {"person": found})
        return redirect("system-person", found.pk)
    context = system_context("system-people") | {
        "person": found,
        "link": link,
        "days": reset_links.VALID_DAYS,
    }
    return render(request, "registry_sync/system_reset_link.html", context)


def _confirmed(request: PersonRequest, act: Callable[..., HttpResponse], *given: object) -> HttpResponse:
    return reauthentication.required(act)(request, *given)


def _carry_out(request: PersonRequest, found: Person, act: Callable[..., object], done: str) -> HttpResponse:
    by = principal(request)
    try:
        act(by=by, person=found)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
    if act is person_access.unmake_operator and found.pk == by.person_id:
        return redirect("home")
    return redirect("system-person", found.pk)


def _disabling(found: Person) -> Question:
    now = timezone.now()
    tokens, alone = list(people_list.live_tokens(found, now)), people_list.owned_alone(found)
    sessions: int = found.session_count  # type: ignore[attr-defined]
    return Question(
        title=_("Disable %(person)s?") % {"person": found},
        last_use=_last_sign_in(found),
        stops=[
            *_sessions_end(sessions),
            *_tokens_refused(len(tokens)),
            _("Invitation links that they created stop working."),
            _(
                "Users of the registry keep working, whoever created them. What the person is a member of stays as it "
                "is, and everything works again when they are enabled."
            ),
        ],
        details=_ownerless(alone),
        button=_("Disable person"),
        back=reverse("system-person", args=[found.pk]),
    )


def _ending_sessions(found: Person) -> Question:
    return Question(
        title=_("Sign %(person)s out everywhere?") % {"person": found},
        last_use=_last_sign_in(found),
        stops=[
            *_sessions_end(found.session_count),  # type: ignore[attr-defined]
            _("They can sign in again at once. API tokens keep working."),
        ],
        button=_("End all sessions"),
        back=reverse("system-person", args=[found.pk]),
    )


def _promoting(found: Person) -> Question:
    return Question(
        title=_("Make %(person)s an operator?") % {"person": found},
        last_use=_last_sign_in(found),
        stops=[
            _("Operators see and change everything on the pages under System."),
            _(
                "They can disable people, including you, suspend accounts, and make themselves owner of any account."
            ),
        ],
        button=_("Make operator"),
        back=reverse("system-person", args=[found.pk]),
    )


def _demoting(found: Person) -> Question:
    return Question(
        title=_("End the operator role of %(person)s?") % {"person": found},
        last_use=_last_sign_in(found),
        stops=[
            _("They lose the pages under System at once, also in open browsers and with API tokens."),
            _("Their memberships in accounts stay."),
            *(
                [
                    _(
                        "A group at the sign-in provider gave the role, and gives it again at their next sign-in."
                    )
                ]
                if found.operator_by_group
                else []
            ),
        ],
        button=_("End operator role"),
        back=reverse("system-person", args=[found.pk]),
    )


def _resetting_factors(found: Person) -> Question:
    factors: int = found.factor_count  # type: ignore[attr-defined]
    words = ngettext(
        "%(n)s second factor is removed, with the recovery codes.",
        "%(n)s second factors are removed, with the recovery codes.",
        factors,
    )
    return Question(
        title=_("Remove the second factors of %(person)s?") % {"person": found},
        last_use=_last_sign_in(found),
        stops=[
            words % {"n": factors},
            *_sessions_end(found.session_count),  # type: ignore[attr-defined]
            _(
                "Make sure that it is this person who asks: until they set up a new one, the password alone is"
                " enough to sign in."
            ),
            _(
                "They are told by mail. Where a second factor is required, they set up a new one when they sign in."
            ),
        ],
        button=_("Remove second factors"),
        back=reverse("system-person", args=[found.pk]),
    )


def _resetting(found: Person) -> Question:
    link = _(
        "Whoever has the link can set a new password for this person. It works once, within %(days)s days."
    ) % {"days": reset_links.VALID_DAYS}
    way = (
        _("It is sent to %(person)s.") % {"person": found}
        if reset_links.by_mail()
        else _("There is no mail server, so the link is shown to you once: hand it over in a safe way.")
    )
    return Question(
        title=_("Create a password reset link for %(person)s?") % {"person": found},
        last_use=_last_sign_in(found),
        stops=[
            link,
            way,
            _("The old password works until then. A second factor stays and is still asked for."),
        ],
        button=_("Create link"),
        back=reverse("system-person", args=[found.pk]),
    )


def _last_sign_in(found: Person) -> SafeString:
    if not found.last_login:
        return format_html(_("{name} has never signed in."), name=found)
    return format_html(_("{name} last signed in {when}."), name=found, when=when(found.last_login))


def _sessions_end(count: int) -> list[str]:
    words = ngettext(
        "%(n)s session ends at once, on open pages too.",
        "%(n)s sessions end at once, on open pages too.",
        count,
    )
    return [words % {"n": count}] if count else []


def _tokens_refused(count: int) -> list[str]:
    words = ngettext(
        "%(n)s API token is refused while the person is disabled.",
        "%(n)s API tokens are refused while the person is disabled.",
        count,
    )
    return [words % {"n": count}] if count else []


def _ownerless(alone: list[Account]) -> SafeString | str:
    if not alone:
        return ""
    words = ngettext(
        "%(n)s account has no other owner who can sign in. It keeps working; assign an owner on its page:",
        "%(n)s accounts have no other owner who can sign in. They keep working; assign an owner on their pages:",
        len(alone),
    )
    links = format_html_join(
        "",
        '<li class="text-break"><a href="{}">{}</a></li>',
        ((reverse("system-account", args=[each.handle]), each.name) for each in alone),
    )
    return format_html("<p>{}</p><ul>{}</ul>", words % {"n": len(alone)}, links)
