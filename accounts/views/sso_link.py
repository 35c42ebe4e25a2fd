"""A sign-in at the provider becomes a way in of a person who is here already: after that person said so."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any, Final

from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.models import EmailAddress
from allauth.socialaccount.forms import DisconnectForm
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit, reauthentication, security_events, sso_sessions
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict
from accounts.models import Person
from accounts.security_events import Kind
from accounts.services import second_factors
from accounts.sso.identity import Identity
from accounts.sso_login import login_of
from accounts.sso_sessions import PROVIDER
from accounts.templatetags.cells import when
from accounts.views.confirmation import Question, ask, asks
from accounts.views.form_errors import next_url
from accounts.views.request import PersonRequest, principal

PENDING = "sso_pending_link"  # in the session
PENDING_SECONDS: Final = 600

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Pending:
    """Who signed in at the provider, and the address here that is theirs there."""

    who: Identity
    email: str
    next: str


def offer(request: HttpRequest, who: Identity, email: str, next_url: str) -> HttpResponse:
    """Remember the sign-in for a while, and ask who has the address here to sign in and confirm."""
    request.session[PENDING] = {"who": asdict(who), "email": email, "next": next_url, "at": time.time()}
    return redirect("sso-link")


def pending(request: HttpRequest) -> Pending | None:
    kept: dict[str, Any] | None = request.session.get(PENDING)
    if not kept or time.time() - kept["at"] > PENDING_SECONDS:
        return None
    groups = tuple(kept["who"]["groups"])
    return Pending(Identity(**(kept["who"] | {"groups": groups})), kept["email"], kept["next"])


def where_configured(view: View) -> View:
    """Without a provider there is no such page, although links to one may be left."""

    @wraps(view)
    def guarded(*args: Any, **more: Any) -> HttpResponse:
        if not settings.OIDC_ISSUER:
            raise Http404
        return view(*args, **more)

    return guarded


@where_configured
@asks
@never_cache
def link(request: HttpRequest) -> HttpResponse:
    found = pending(request)
    if not found:
        return redirect("home" if request.user.is_authenticated else "account_login")
    names = {"name": settings.OIDC_NAME, "email": found.email}
    if not isinstance(request.user, Person) and not request.user.is_authenticated:
        return render(request, "accounts/sso_link.html", names)
    if not has_address(request.user, found.email):
        request.session.pop(PENDING)
        messages.error(request, _("You are not signed in as %(email)s, so nothing was linked.") % names)
        return redirect("home")
    if request.method != "POST":
        return ask(request, Question(
            title=_("Sign in with %(name)s from now on?") % names,
            stops=[_("Whoever signs in at %(name)s as %(email)s is then signed in here as you.") % names,
                   _("Your other ways to sign in go on working.")],
            button=_("Link"), back=reverse("home"),
        ))  # fmt: skip
    request.session.pop(PENDING)
    try:
        connect(request, found.who)
    except Conflict as conflict:
        messages.error(request, conflict.message)
        return redirect("home")
    messages.success(request, _("You can sign in with %(name)s now.") % names)
    return redirect(found.next or "home")


@transaction.atomic
def connect(request: HttpRequest, who: Identity) -> None:
    """Give the signed-in person this way in, and what their groups give. Raise Conflict where it is somebody else's."""
    person: Person = request.user  # type: ignore[assignment]
    second_factors.lock(person)
    found = SocialAccount.objects.filter(provider=PROVIDER, uid=who.uid).first()
    if found and found.user_id == person.pk:
        return  # pressed twice
    if found:
        raise _of_somebody_else()
    try:
        with transaction.atomic():
            login_of(request, who, next_url="").connect(request, person)
    except IntegrityError:  # at the same moment
        raise _of_somebody_else() from None
    _record(request, AuditAction.PERSON_PROVIDER_LINKED, Kind.PROVIDER_LINKED)
    sso_sessions.follow_groups(person, who.groups)


def _of_somebody_else() -> Conflict:
    return Conflict.on("", _("This sign-in belongs to another person here."))


@transaction.atomic
def _disconnect(request: HttpRequest, account: SocialAccount) -> None:
    """End this way in, and with it what groups gave. Raise Conflict for the last one.

    Of two that are unlinked at once, the second sees that it is the last.
    """
    second_factors.lock(request.user)  # type: ignore[arg-type]
    form = DisconnectForm(data={"account": account.pk}, request=request)
    if not form.is_valid():
        raise Conflict.on("", " ".join(form.non_field_errors()))
    form.save()
    _record(request, AuditAction.PERSON_PROVIDER_UNLINKED, Kind.PROVIDER_UNLINKED)
    sso_sessions.follow_groups(request.user, ())  # type: ignore[arg-type]


def _record(request: HttpRequest, action: AuditAction, kind: Kind) -> None:
    by, name = principal(request), settings.OIDC_NAME
    audit.record(by=by, action=action, kind="sign_in_provider", label=name)
    security_events.note(person_id=by.person_id, kind=kind, by=by, detail=name)


def is_linking(request: HttpRequest, person: Person) -> bool:
    """Whether the person signs in to link what they have just shown at the provider."""
    found = pending(request)
    return bool(found and has_address(person, found.email))


def has_address(person: Person, email: str) -> bool:
    return (
        person.email == email
        or EmailAddress.objects.filter(user=person, email__iexact=email, verified=True).exists()
    )


@where_configured
@login_required
@require_safe
def overview(request: PersonRequest) -> HttpResponse:
    """Show how the person signs in at the provider."""
    linked = SocialAccount.objects.filter(provider=PROVIDER, user=request.user).order_by("pk")
    context = {"linked": linked, "name": settings.OIDC_NAME}
    return render(request, "accounts/sso.html", context)


@where_configured
@login_required
@asks
@never_cache
def unlink(request: PersonRequest, id: int) -> HttpResponse:  # noqa: A002
    mine = SocialAccount.objects.filter(provider=PROVIDER, user=request.user, pk=id).first()
    if not mine:
        return redirect("sso")
    names = {"name": settings.OIDC_NAME}
    if request.method != "POST":
        return ask(request, Question(
            title=_("Stop signing in with %(name)s?") % names,
            last_use=format_html(_("You last signed in with it {when}."), when=when(mine.last_login)),
            stops=[_("Signing in at %(name)s no longer signs you in here.") % names,
                   _("What your groups there gave you here ends.")],
            button=_("Unlink"), back=reverse("sso"),
        ))  # fmt: skip
    try:
        _disconnect(request, mine)
    except Conflict as conflict:
        messages.error(request, conflict.message)
    return redirect("sso")


@where_configured
@login_required
@require_safe
@never_cache
def confirm(request: PersonRequest) -> HttpResponse:
    """One of the ways to confirm that it is you: sign in at the provider again. Afterwards, go on to what asked."""
    if reauthentication.is_fresh(request):
        answer: HttpResponse | None = resume_request(request)
        return answer or redirect("home")
    context = {"name": settings.OIDC_NAME, "next": next_url(request, "")}
    return render(request, "accounts/sso_confirm.html", context)
