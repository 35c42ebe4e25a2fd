"""Rotation: a second password while the first goes on, and the end of the first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import permissions, selectors
from accounts.common.errors import Invalid
from accounts.forms import RetirementForm
from accounts.models import RegistryUser, Secret, TrustPolicy
from accounts.roles import Permission
from accounts.services import passwords
from accounts.templatetags.cells import when
from accounts.views import credentials_page, form_nonce
from accounts.views.confirmation import Question, ask, asks, last_use
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab


@dataclass(frozen=True)
class PasswordLine:
    """A password as the user's page shows it. `newest` and `old`: of two that work."""

    secret: Secret
    live: bool
    newest: bool
    old: bool


@dataclass(frozen=True)
class PasswordLines:
    lines: list[PasswordLine]
    old: Secret | None  # the older of two that work
    old_use: SafeString | str  # when it was last used, as a sentence
    live: Secret | None  # the newest that works
    may_end: bool  # the only one, because ID tokens sign the user in, too

    @property
    def can_rotate(self) -> bool:
        return not self.old


def password_lines(user: RegistryUser, now: datetime, *, policies: Iterable[TrustPolicy]) -> PasswordLines:
    """`policies`: the user's."""
    found = list(selectors.passwords_of(user))
    live = [each for each in found if each.live_at(now)]
    newest, old = (live[0], live[-1]) if len(live) > 1 else (None, None)
    lines = [PasswordLine(each, each.live_at(now), each is newest, each is old) for each in found]
    may_end = len(live) == 1 and any(each.enabled for each in policies)
    use = old_use(old, newest) if old and newest else ""
    return PasswordLines(lines, old, use, live[0] if live else None, may_end)


def old_use(old: Secret, newest: Secret) -> SafeString:
    """Return "The old password was last used 12 minutes ago by containerd/2.0 from 10.0.0.5."."""
    if not old.last_used_at or old.last_used_at < newest.created_at:
        sentence = _("The old password has not been used since the new one was made ({when}).")
        return format_html(sentence, when=when(newest.created_at))
    if old.last_used_with:
        sentence = _("The old password was last used {when} by {client} from {address}.")
    else:
        sentence = _("The old password was last used {when} from {address}.")
    return format_html(
        sentence, when=when(old.last_used_at), client=old.last_used_with, address=old.last_used_from
    )


@login_required
@asks
@tab("users")
def rotate(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    by = principal(request)
    user = permissions.user(by, handle, username, Permission.USERS_MANAGE)
    form = RetirementForm(request.POST if request.method == "POST" else None)
    lines = password_lines(user, timezone.now(), policies=selectors.trust_policies_of(user))
    if form.is_valid():
        fields = form.cleaned_data
        try:
            if not form_nonce.spend(request):
                messages.info(
                    request, _("This form was already submitted; the password was rotated only once.")
                )
                return redirect(user)
            password = passwords.rotate(
                by=by, user=user, retires_at=fields["retires_at"], unused_days=fields["unused_days"]
            )
        except Invalid as error:
            put_errors(form, error, retires_at="retires_on", retire_after_unused_days="retirement")
        else:
            return credentials_page.show(request, user, password, instead="rotated")
    context = {"account": user.account, "user": user, "form": form, "lines": lines, "once": form_nonce.mark()}
    return render(request, "accounts/password_rotate.html", context, status=status_of(form))


@login_required
@asks
@tab("users")
def end(request: PersonRequest, handle: str, username: str, secret_id: int) -> HttpResponse:
    by = principal(request)
    secret = permissions.secret(by, handle, username, secret_id)
    if request.method != "POST":
        return ask(request, _end_question(secret))
    try:
        passwords.end(by=by, secret=secret)
    except Invalid as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request, _("Ended. The next login with %(password)s fails.") % {"password": secret.shown}
        )
    return redirect(secret.user)


def _end_question(secret: Secret) -> Question:
    return Question(
        title=_("End the password %(password)s of %(user)s?")
        % {"password": secret.shown, "user": secret.user.description},
        last_use=last_use(secret.shown, secret.last_used_at, secret.last_used_with, secret.last_used_from),
        stops=[
            _("It stops working at once, wherever it is used: the next login with it fails."),
            _what_goes_on(secret),
        ],
        button=_("End password"),
        back=secret.user.get_absolute_url(),
    )


def _what_goes_on(secret: Secret) -> str:
    if secret.policy_id:
        return _("A job got it for its ID token, and can get another as long as the token is valid.")
    if len(passwords.live(secret.user)) > 1:
        return _("The other password goes on working.")
    return _("The user then has no password; ID tokens that its trust policies allow go on working.")


@login_required
@asks
@tab("users")
def retire(request: PersonRequest, handle: str, username: str, secret_id: int) -> HttpResponse:
    by = principal(request)
    secret = permissions.secret(by, handle, username, secret_id)
    form = RetirementForm(request.POST if request.method == "POST" else None, secret=secret)
    if form.is_valid():
        fields = form.cleaned_data
        try:
            passwords.retire(
                by=by, secret=secret, retires_at=fields["retires_at"], unused_days=fields["unused_days"]
            )
        except Invalid as error:
            put_errors(form, error, retires_at="retires_on", retire_after_unused_days="retirement")
        else:
            messages.success(request, _("Saved."))
            return redirect(secret.user)
    context = {"account": secret.user.account, "user": secret.user, "secret": secret, "form": form}
    return render(request, "accounts/password_retire.html", context, status=status_of(form))
