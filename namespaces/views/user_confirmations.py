"""What is asked before a user's password, its access as a whole, or one permission of it ends."""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from accounts.models import Account, RegistryUser
from accounts.templatetags.cells import when
from accounts.views import form_nonce
from accounts.views.confirmation import Question, last_use_of
from namespaces import grant_text, selectors
from namespaces.ledger import breakage
from namespaces.ledger.breakage import Breakage
from namespaces.manifests.pull_stats import last_pull_with
from namespaces.models import Grant
from namespaces.views.breakage import ACKNOWLEDGED, as_html


def replace_password(user: RegistryUser) -> Question:
    if not user.secrets.live(timezone.now()).exists():
        return Question(
            title=_("Create a password for %(user)s?") % {"user": user.description},
            stops=[
                _("It is shown once, on the next page."),
                _("ID tokens of its trusted jobs go on working."),
            ],
            button=_("Create password"),
            back=user.get_absolute_url(),
            fields={"once": form_nonce.mark()},
        )
    return Question(
        title=_("Replace the password of %(user)s?") % {"user": user.description},
        last_use=last_use_of(user),
        stops=[
            _("The old password stops working at once, wherever it is used: the next login with it fails."),
            _("The new one is shown once, on the next page."),
        ],
        button=_("Replace password"),
        back=user.get_absolute_url(),
        fields={"once": form_nonce.mark()},
    )


def disable(user: RegistryUser) -> Question:
    return Question(
        title=_("Disable %(user)s?") % {"user": user.description},
        last_use=last_use_of(user),
        stops=[
            _("Its next login fails; running transfers end within minutes."),
            _("Its password and permissions stay as they are, and work again when it is enabled."),
        ],
        details=as_html(breakage.of_blocked_user(user)),
        button=_("Disable user"),
        back=user.get_absolute_url(),
    )


def delete(user: RegistryUser, broken: Breakage) -> Question:
    return Question(
        title=_("Delete %(user)s?") % {"user": user.description},
        last_use=last_use_of(user),
        stops=[_("It and its password are gone for good; its name is never given out again.")],
        details=as_html(broken),
        button=_("Delete user"),
        back=user.get_absolute_url(),
        fields={"confirm": user.username, ACKNOWLEDGED: "yes"},
    )


def lower_levels(broken: Breakage, *, act: str, back: str, fields: Mapping[str, str]) -> Question:
    """`act` is where the form was sent, and `fields` what it held."""
    return Question(
        title=_("Save these levels?"),
        stops=[_("Some requests that were allowed lately would be refused from the next login on.")],
        details=as_html(broken),
        button=_("Save levels"),
        back=back,
        act=act,
        fields={**fields, "next": back, ACKNOWLEDGED: "yes"},
    )


def end_user(broken: Breakage, *, act: str, back: str, fields: Mapping[str, str]) -> Question:
    """`act` is where the form was sent, and `fields` what it held."""
    return Question(
        title=_("Save this expiry?"),
        stops=[_("Some requests that were allowed lately would be refused once it has expired.")],
        details=as_html(broken),
        button=_("Save"),
        back=back,
        act=act,
        fields={**fields, ACKNOWLEDGED: "yes"},
    )


def end_grant(broken: Sequence[Breakage], *, act: str, back: str, fields: Mapping[str, str]) -> Question:
    """`broken` is at once, by a lower level, and at the end; `act` and `fields` as of `lower_levels`."""
    return Question(
        title=_("Save this end?"),
        stops=[_("Some requests that were allowed lately would be refused once it has ended.")],
        details=format_html_join("", "{}", ([as_html(each)] for each in broken)),
        button=_("Save"),
        back=back,
        act=act,
        fields={**fields, "next": back, ACKNOWLEDGED: "yes"},
    )


def close_account(account: Account, broken: Breakage) -> Question:
    return Question(
        title=_("Close %(account)s?") % {"account": account.name},
        stops=[_("Its users are denied at once, and so is everybody else who uses its images.")],
        details=as_html(broken),
        button=_("Close account"),
        back=reverse("account-settings", args=[account.handle]),
        fields={"confirm": account.handle, ACKNOWLEDGED: "yes"},
    )


def remove_grant(grant: Grant, *, back: str) -> Question:
    words = {"user": grant.user.description, "level": grant_text.summary([grant])}
    live = selectors.grants_of(grant.user).filter(pk__in=Grant.objects.live(timezone.now()))
    rest = [each for each in live if each.pk != grant.pk]
    left = (
        _("It keeps %(rest)s.") % {"rest": grant_text.summary(rest)}
        if rest
        else _("It has no other permissions.")
    )
    return Question(
        title=_("Remove %(level)s from %(user)s?") % words,
        last_use=last_use_of(grant.user),
        stops=[
            format_html(_("It last pulled there: {when}."), when=when(last_pull_with(grant))),
            _("From its next login on, access there is denied unless another permission allows it."),
            left,
        ],
        details=as_html(breakage.of_removed_grants(grant.namespace.account, [grant])),
        button=_("Remove permission"),
        back=back,
        fields={"next": back},
    )
