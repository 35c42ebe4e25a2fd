"""Forms of the account pages. They only parse; what is allowed is decided in the services."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.common import timestamps
from accounts.expiry import ending
from accounts.models import Account, ApiToken, RegistryUser, Secret
from accounts.models.member import ROLES
from accounts.names import DESCRIPTION_MAX, EXPIRY_DAYS, LONGEST_LIFE_DAYS_MAX, TITLE_MAX

KEEP, ON_DATE, NEVER, BY_HAND = "keep", "date", "never", "hand"
EVERY_ACCOUNT = "*"  # no handle


class TextField(forms.CharField):
    """Asked for in the browser and judged in the service, so that an empty text gets the service's words."""

    def __init__(self, *, most: int, placeholder: str | Promise = "", **more: Any) -> None:
        attrs = {"maxlength": most, "autocomplete": "off", "placeholder": placeholder}
        super().__init__(
            widget=forms.TextInput({key: value for key, value in attrs.items() if value}), **more
        )

    def validate(self, value: str) -> None:
        """Nothing here."""


class DayInput(forms.DateInput):
    """A day as browsers send it, whatever the language of the page."""

    def __init__(self) -> None:
        super().__init__({"type": "date"}, format="%Y-%m-%d")


class AccountForm(forms.Form):
    name = TextField(label=_("Name"), most=TITLE_MAX)


class PasswordRulesForm(forms.Form):
    longest_life_days = forms.IntegerField(
        label=_("Maximum lifetime of users and passwords, in days"),
        required=False,
        min_value=1,
        max_value=LONGEST_LIFE_DAYS_MAX,
        help_text=_(
            "Leave empty for no limit. Users and passwords that already last longer are not shortened; the list of"
            " users shows them."
        ),
    )
    self_rotation = forms.BooleanField(
        label=_("Users may rotate their own password"),
        required=False,
        help_text=_(
            "Through the API, with the password that they rotate. The new one ends no later; owners and managers get a "
            "mail."
        ),
    )


class ExpiryForm(forms.Form):
    """A form that says when something expires.

    `cleaned_data["expires_at"]` is a moment, or None for never, and is missing where a date was not understood. A date
    lasts to 24:00 of its day in TIME_ZONE.
    """

    CHOICES: ClassVar[list[tuple[str, str | Promise]]] = [
        ("7", _("in 7 days")),
        ("14", _("in 14 days")),
        ("30", _("in 30 days")),
        ("90", _("in 90 days")),
        ("365", _("in 1 year")),
        (ON_DATE, _("on a date…")),
        (NEVER, _("never")),
    ]
    expiry = forms.ChoiceField(label=_("Expires"), initial=str(EXPIRY_DAYS), choices=CHOICES)
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=DayInput(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expires_on"].help_text = gettext(
            "Only for “on a date…”. Works until the end of that day (%(zone)s)."
        ) % {"zone": settings.TIME_ZONE}

    def clean(self) -> dict[str, Any]:
        choice, day = self.cleaned_data.get("expiry"), self.cleaned_data.get("expires_on")
        if choice == ON_DATE and day is None and "expires_on" not in self.errors:
            self.add_error("expires_on", _("Select the last day."))
        if choice == ON_DATE and day:
            self.cleaned_data["expires_at"] = timestamps.end_of(day, timezone.get_default_timezone())
        elif choice and choice.isdigit():
            self.cleaned_data["expires_at"] = timezone.now() + timedelta(days=int(choice))
        elif choice == NEVER:
            self.cleaned_data["expires_at"] = None
        return self.cleaned_data


class UserForm(ExpiryForm):
    """A form of a user; it offers no end that is later than the account allows."""

    description = TextField(
        label=_("Description"),
        most=DESCRIPTION_MAX,
        placeholder=_("CI deploy"),
        help_text=_("What this user is for. The username and password are generated."),
    )
    field_order: tuple[str, ...] = ("description", "expiry", "expires_on")

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = account.longest_life_days
        if most is None:
            return
        choice = self.fields["expiry"]
        assert isinstance(choice, forms.ChoiceField)
        days = [each for each, _text in self.CHOICES if each.isdigit() and int(each) <= most]
        choice.choices = [each for each in self.CHOICES if each[0] in (*days, ON_DATE)]
        choice.initial = max((each for each in days if int(each) <= EXPIRY_DAYS), key=int, default=ON_DATE)


class UserEditForm(UserForm):
    """As UserForm, with the choice to leave the present expiry as it is."""

    def __init__(self, data: Any = None, *, user: RegistryUser) -> None:
        first = KEEP if user.expires_at else NEVER
        shown = {"description": user.description, "expiry": first}
        super().__init__(data, initial=shown, account=user.account)
        self.user = user
        self.fields["description"].help_text = ""
        if user.expires_at:
            present: tuple[str, str | Promise] = (
                KEEP,
                _("unchanged: %(day)s") % {"day": ending(user.expires_at)},
            )
        else:
            present = NEVER, _("never")  # what it has already stays, though the account allows it no more
        choice = self.fields["expiry"]
        assert isinstance(choice, forms.ChoiceField)
        others = [each for each in list(choice.choices) if each[0] != present[0]]  # type: ignore[arg-type]
        choice.choices = [present, *others]

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("expiry") == KEEP:
            self.cleaned_data["expires_at"] = self.user.expires_at
        return self.cleaned_data


class RetirementForm(forms.Form):
    """When the older of two passwords ends. `cleaned_data` has `retires_at`, a moment, and `unused_days`, or None."""

    retirement = forms.ChoiceField(
        label=_("The old password ends"),
        choices=[
            (BY_HAND, _("when somebody ends it")),
            ("7", _("after 7 days without use")),
            ("14", _("after 14 days without use")),
            ("30", _("after 30 days without use")),
            (ON_DATE, _("on a date…")),
        ],
    )
    retires_on = forms.DateField(label=_("Last day"), required=False, widget=DayInput())

    def __init__(self, data: Any = None, *, secret: Secret | None = None) -> None:
        """`secret`: the one that ends; when it ends already, that can stay."""
        super().__init__(data)
        self.secret = secret
        self.fields["retires_on"].help_text = gettext(
            "Only for “on a date…”. Works until the end of that day (%(zone)s)."
        ) % {"zone": settings.TIME_ZONE}
        if secret and secret.retires_at:
            self._offer_present(secret.retires_at, str(secret.retire_after_unused_days or KEEP))

    def _offer_present(self, moment: datetime, present: str) -> None:
        choice = self.fields["retirement"]
        assert isinstance(choice, forms.ChoiceField)
        choices: list[Any] = [*choice.choices]  # type: ignore[misc]
        if present not in dict(choices):
            present = KEEP
            choice.choices = [(KEEP, _("unchanged: %(day)s") % {"day": ending(moment)}), *choices]
        choice.initial = present

    def clean(self) -> dict[str, Any]:
        choice, day = self.cleaned_data.get("retirement", ""), self.cleaned_data.get("retires_on")
        if choice == KEEP and self.secret:
            unused_days = self.secret.retire_after_unused_days
            retires_at = None if unused_days else self.secret.retires_at
            return self.cleaned_data | {"retires_at": retires_at, "unused_days": unused_days}
        if choice == ON_DATE and day is None and "retires_on" not in self.errors:
            self.add_error("retires_on", _("Select the last day."))
        on_date = choice == ON_DATE and day
        self.cleaned_data["retires_at"] = (
            timestamps.end_of(day, timezone.get_default_timezone()) if on_date and day else None
        )
        self.cleaned_data["unused_days"] = int(choice) if choice.isdigit() else None
        return self.cleaned_data


class ApiTokenForm(ExpiryForm):
    """`cleaned_data["account"]` is a handle, "" for all accounts. Only operators are asked about `as_operator`."""

    name = TextField(label=_("Name"), most=TITLE_MAX, placeholder=_("Backup script"))
    scope = forms.ChoiceField(
        label=_("Scope"),
        choices=[
            (ApiToken.Scope.READ, _("read: see what you can see, and change nothing")),
            (ApiToken.Scope.MANAGE, _("manage: do whatever you can do")),
        ],
        initial=ApiToken.Scope.READ,
        widget=forms.RadioSelect,
    )
    account = forms.ChoiceField(label=_("Accounts"), initial=EVERY_ACCOUNT)
    as_operator = forms.BooleanField(
        label=_("May act as operator"),
        required=False,
        help_text=_("Without this, the token cannot use the operators’ part of the API."),
    )
    field_order = ("name", "scope", "account", "as_operator", "expiry", "expires_on")

    def __init__(self, data: Any = None, *, accounts: Sequence[Account], operator: bool) -> None:
        super().__init__(data)
        choice = self.fields["account"]
        assert isinstance(choice, forms.ChoiceField)
        every: tuple[str, str | Promise] = (EVERY_ACCOUNT, _("all accounts, also those that you join later"))
        choice.choices = [
            every,
            *((each.handle, _("only %(name)s") % {"name": each.name}) for each in accounts),
        ]
        if not operator:
            del self.fields["as_operator"]
        self.fields["expiry"].help_text = _(
            "You are asked for your password if the token is valid for more than a year or may do more than read."
        )

    def clean_account(self) -> str:
        chosen = str(self.cleaned_data["account"])
        return "" if chosen == EVERY_ACCOUNT else chosen


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial="viewer")


class ConfirmForm(forms.Form):
    """The name typed in a danger zone. `expected` None leaves the judgement to the service."""

    confirm = forms.CharField(required=False)

    def __init__(self, data: Any = None, *, expected: str | None = None) -> None:
        super().__init__(data)
        self.expected = expected

    def clean_confirm(self) -> str:
        typed = str(self.cleaned_data["confirm"])
        if self.expected is not None and typed != self.expected:
            raise forms.ValidationError(_("Type %(name)s to confirm."), params={"name": self.expected})
        return typed

    @property
    def problem(self) -> str:
        """The first error, for the danger zone; "" when there is none."""
        return " ".join(str(each) for each in self.errors.get("confirm", [])) if self.is_bound else ""
