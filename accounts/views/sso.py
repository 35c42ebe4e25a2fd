"""Signing in at the provider: there, and back.

The start is a POST, so that no other site begins it, and its answer a page that goes on to the provider: a redirect
would be one of the form's, which `form-action 'self'` stops in Chromium (docs/adr/0039).
"""

import base64
import hashlib
import secrets
import time
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core.internal import ratelimit
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.common.errors import Conflict
from accounts.common.translation import translate
from accounts.selectors import has_person
from accounts.services import people
from accounts.sso import identity, provider
from accounts.sso.id_token import Untrusted
from accounts.sso.identity import GROUPS_MAX, Identity
from accounts.sso_login import address_of, login_of
from accounts.sso_sessions import PROVIDER
from accounts.views import sso_link
from accounts.views.form_errors import next_url
from accounts.views.sso_link import View, where_configured

LOGIN, CONNECT, REAUTHENTICATE = "login", "connect", "reauthenticate"
CODE_MAX: Final = 4096
# Who was asked to sign in again did so after that was asked for, but for the difference of two clocks.
CLOCKS_DIFFER: Final = 60  # seconds


def of_provider(view: View) -> View:
    """Without a provider, and under another name, there is no such page."""

    @where_configured
    @wraps(view)
    def guarded(request: HttpRequest, provider_id: str) -> HttpResponse:
        if provider_id != PROVIDER:
            raise Http404
        return view(request)

    return guarded


@of_provider
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Show the page that goes on to the provider. An address that was kept or sent leads to the sign-in page."""
    if request.method != "POST":
        return redirect("account_login")
    signed_in = request.user.is_authenticated
    process = request.POST.get("process", LOGIN)
    if process not in (LOGIN, CONNECT, REAUTHENTICATE) or signed_in == (process == LOGIN):
        return redirect("home" if signed_in else "account_login")
    refusal: HttpResponse | None = ratelimit.consume_or_429(
        request, app="allauth.account", action="sso_start"
    )
    if refusal:
        return refusal
    if process == CONNECT:
        raise_if_reauthentication_required(request, app="allauth.socialaccount")
    found = provider.configuration()
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    state = {
        "process": process,
        "next": next_url(request, ""),
        "verifier": verifier,
        "nonce": nonce,
        "at": time.time(),
        "person": request.user.pk,
    }
    asked = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": redirect_uri(),
        "scope": " ".join(settings.OIDC_SCOPES),
        "state": statekit.stash_state(request, provider_id=PROVIDER, state=state),
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    if process == REAUTHENTICATE:
        asked |= {"prompt": "login", "max_age": "0"}
    joint = "&" if urlsplit(found.authorization).query else "?"
    url = f"{found.authorization}{joint}{urlencode(asked)}"
    return render(request, "accounts/sso_continue.html", {"url": url, "name": settings.OIDC_NAME})


@require_safe
def no_form(request: HttpRequest) -> HttpResponse:
    """Stand in for allauth's form, where whoever signs up could choose an address that nobody confirmed."""
    return redirect("account_login")


@of_provider
@never_cache
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends the browser back to."""
    state = statekit.unstash_state(
        request, provider_id=PROVIDER, state_id=request.GET.get("state", "")[:CODE_MAX]
    )
    if not state:
        return refused(
            request,
            _("This sign-in was started in another browser or too long ago, or it is already finished."),
        )
    issuer = request.GET.get("iss", "")  # RFC 9207: some other provider's answer is none of ours
    if issuer and issuer.rstrip("/") != settings.OIDC_ISSUER.rstrip("/"):
        return refused(request, _("This answer comes from a provider other than %(name)s.") % _name())
    if error := request.GET.get("error", ""):
        return _provider_refused(request, error)
    try:
        claims = provider.redeem(
            code=request.GET.get("code", "")[:CODE_MAX],
            verifier=state["verifier"],
            nonce=state["nonce"],
            redirect_uri=redirect_uri(),
        )
    except Untrusted as untrusted:
        return refused(request, translate(untrusted.text))
    who = identity.read(
        claims.id_token,
        claims.userinfo,
        groups_claim=settings.OIDC_GROUPS_CLAIM,
        trust_email=settings.OIDC_TRUST_EMAIL,
    )
    if request.user.pk != state["person"]:
        return refused(request, _("You have signed in or out here in the meantime. Start again."))
    if state["process"] == REAUTHENTICATE:
        return _confirmed(request, who, state)
    if state["process"] == CONNECT:
        return _connected(request, who)
    return _signed_in(request, who, state)


def redirect_uri() -> str:
    """Return the address that the operator registers at the provider. Never of the request's Host."""
    return settings.PUBLIC_URL + reverse("sso-callback", kwargs={"provider_id": PROVIDER})


def refused(request: HttpRequest, reason: str, status: int = 403) -> HttpResponse:
    context = {"reason": reason, "name": settings.OIDC_NAME}
    return render(request, "accounts/sso_refused.html", context, status=status)


def _name() -> dict[str, str]:
    return {"name": settings.OIDC_NAME}


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _provider_refused(request: HttpRequest, error: str) -> HttpResponse:
    """Say what people can do about it; the provider's own words may be anybody's: they stand in the address."""
    name = _name()
    if error in ("access_denied", "login_required", "interaction_required"):
        return refused(
            request, _("You did not sign in at %(name)s, or it does not let you use this panel.") % name
        )
    if error in ("temporarily_unavailable", "server_error"):
        return refused(
            request, _("%(name)s cannot sign anybody in at the moment. Try again later.") % name, 503
        )
    return refused(
        request, _("%(name)s refused the request of this panel. Tell the operator: the log says why.") % name
    )


def _signed_in(request: HttpRequest, who: Identity, state: dict[str, Any]) -> HttpResponse:
    if not SocialAccount.objects.filter(provider=PROVIDER, uid=who.uid).exists():
        email = address_of(who)
        names = {"name": settings.OIDC_NAME, "email": email}
        if not email:
            words = _(
                "%(name)s sent no valid email address, and without one nobody can sign up. Tell the operator."
            )
            return refused(request, words % names)
        if not who.email_verified:
            words = _(
                "%(name)s has not confirmed that %(email)s is your address. Confirm it there, then sign in again."
            )
            return refused(request, words % names)
        if has_person(email=email):
            return sso_link.offer(request, who, email, state["next"])
        people.forget_claims(email=email)  # allauth would take them for the address of a person
    if who.groups_cut:
        words = _(
            "%(name)s did not send your groups, because there are too many. What they gave you here has ended."
        )
        messages.warning(request, words % {"name": settings.OIDC_NAME})
    if who.groups_left_out:
        words = _(
            "%(name)s sent %(count)s groups, and only the first %(most)s by name count here. Tell the operator."
        )
        count = len(who.groups) + who.groups_left_out
        given = {"name": settings.OIDC_NAME, "count": intcomma(count), "most": intcomma(GROUPS_MAX)}
        messages.warning(request, words % given)
    try:
        answer: HttpResponse = complete_social_login(request, login_of(request, who, next_url=state["next"]))
    except Conflict as conflict:
        return refused(request, conflict.message, 409)
    return answer


def _connected(request: HttpRequest, who: Identity) -> HttpResponse:
    try:
        sso_link.connect(request, who)
    except Conflict as conflict:
        return refused(request, conflict.message, 409)
    return redirect("sso")


def _confirmed(request: HttpRequest, who: Identity, state: dict[str, Any]) -> HttpResponse:
    """Take it as a proof that the person is there, if it is the same person and they have really signed in again."""
    mine = SocialAccount.objects.filter(provider=PROVIDER, uid=who.uid, user=request.user.pk).exists()
    if not mine:
        return refused(request, _("You signed in there as somebody else."))
    if who.authenticated_at is None or who.authenticated_at < state["at"] - CLOCKS_DIFFER:
        return refused(request, _("%(name)s did not ask you to sign in again, so this proves nothing. Use another way.")
                       % {"name": settings.OIDC_NAME})  # fmt: skip
    record_authentication(
        request, request.user, method="socialaccount", reauthenticated=True, provider=PROVIDER
    )
    return redirect(f"{reverse('sso-confirm')}?{urlencode({'next': state['next']})}")
