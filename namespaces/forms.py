"""Forms of the namespace pages. They parse; the rules are the services'."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.expiry import ending
from accounts.forms import KEEP, NEVER, ON_DATE, DayInput, ExpiryForm, TextField, UserForm
from accounts.models import Account
from accounts.templatetags.formatting import WORDS
from accounts.user_field import UserField
from namespaces.access import Action, Level
from namespaces.activity.sources import ActivityFilter
from namespaces.grant_text import summary
from namespaces.image_description import DESCRIPTION_MAX
from namespaces.models import Grant, Namespace
from namespaces.readme import README_MAX
from namespaces.smallest_grant import USUAL_LIFE, ProposedGrant

LEVELS = [("read", _("read")), ("write", _("write")), ("admin", _("admin"))]
ACTIONS = [(action.value, WORDS[action.value]) for action in Action]
NAME_MAX = 2000  # characters of what is pasted


class NamespaceForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=10_000,
        help_text=_("The first part of your images’ names: a-z, 0-9, and single . _ or - between them."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "maxlength": "60"}),
    )


class DescriptionForm(forms.Form):
    description = TextField(label=_("Description"), most=DESCRIPTION_MAX, required=False)
    readme = forms.CharField(
        label=_("README"),
        required=False,
        strip=False,
        help_text=_(
            "Markdown: headings, lists, tables, code and links. HTML is shown as text, and images become "
            "links."
        ),
        widget=forms.Textarea({"rows": 16, "maxlength": README_MAX, "class": "font-monospace"}),
    )


class EndField(forms.ChoiceField):
    """When a permission ends. Not given: never."""

    def clean(self, value: Any) -> str:
        return str(super().clean(value or NEVER))


class GrantEndForm(ExpiryForm):
    """A form of a permission, which ends or does not."""

    expiry = EndField(
        label=_("Ends"),
        initial=NEVER,
        choices=[
            (NEVER, _("never")),
            ("1", _("in 1 day")),
            ("7", _("in 7 days")),
            ("14", _("in 14 days")),
            ("30", _("in 30 days")),
            (ON_DATE, _("on a date…")),
        ],
    )

    @property
    def values(self) -> dict[str, Any]:
        """Return what `grants.give` takes."""
        return {
            name: value for name, value in self.cleaned_data.items() if name not in ("expiry", "expires_on")
        }


class ImageGrantForm(GrantEndForm):
    """A permission on one image: the image is the page's."""

    user = UserField()
    level = forms.ChoiceField(label=_("Level"), choices=LEVELS, initial="read")
    field_order = ("user", "level", "image_name", "expiry", "expires_on")

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        assert isinstance(field, UserField)
        field.of(account)


class GrantForm(ImageGrantForm):
    """A permission on a namespace, or on one image of it."""

    image_name = forms.CharField(
        label=_("Image"),
        required=False,
        help_text=_("Leave empty for the whole namespace. The image need not have been pushed yet."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )


class GrantChangeForm(GrantEndForm):
    """The level and the end of a permission that is there."""

    level = forms.ChoiceField(label=_("Level"), choices=LEVELS)
    field_order = ("level", "expiry", "expires_on")

    def __init__(self, data: Any = None, *, grant: Grant, now: datetime) -> None:
        live = grant.is_live(now)
        keeps = bool(live and grant.expires_at)
        first = KEEP if keeps else NEVER if live else "7"
        super().__init__(data, initial={"level": grant.word, "expiry": first})
        self.grant = grant
        if keeps and grant.expires_at:
            choice = self.fields["expiry"]
            assert isinstance(choice, forms.ChoiceField)
            unchanged = _("unchanged: %(day)s") % {"day": ending(grant.expires_at)}
            choice.choices = [(KEEP, unchanged), *choice.choices]  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("expiry") == KEEP:
            self.cleaned_data["expires_at"] = self.grant.expires_at
        return self.cleaned_data


class AllowForm(GrantEndForm):
    """The permission that allows a denied request: on its image or images, or more, with an end.

    `there` is the live permission on that one image, which this one replaces; `wide` are those on whole namespaces.
    """

    where = forms.ChoiceField(label=_("Where"), widget=forms.RadioSelect, initial="image")
    level = forms.ChoiceField(label=_("Level"))
    field_order = ("where", "level", "expiry", "expires_on")

    def __init__(
        self,
        data: Any = None,
        *,
        grants: Sequence[ProposedGrant],
        there: Grant | None,
        wide: Sequence[Grant],
        now: datetime,
    ) -> None:
        self.grants, self.there, self.wide, self.now = grants, there, wide, now
        needed = max(each.level for each in grants)
        friday = timezone.localdate(now) + timedelta(days=(4 - timezone.localdate(now).weekday()) % 7 or 7)
        first = KEEP if there and there.expires_at else NEVER if there else str(USUAL_LIFE.days)
        initial = {"level": needed.word, "expiry": first, "expires_on": friday}
        super().__init__(data, initial=initial)
        images = ", ".join(each.target for each in grants)
        self._choices("where", [("image", images), ("namespace", self._whole_text())])
        self._choices("level", [(word, text) for word, text in LEVELS if Level.of(word) >= needed])
        if there and there.expires_at:
            unchanged = _("unchanged: %(day)s") % {"day": ending(there.expires_at)}
            self._choices("expiry", [(KEEP, unchanged), *GrantEndForm.base_fields["expiry"].choices])  # type: ignore[attr-defined]

    def _whole_text(self) -> str:
        """Say without a script, too, what would be replaced."""
        values = {"name": ", ".join(self._namespaces), "levels": summary(self.wide)}
        if self.wide:
            return _("every image in %(name)s, in place of %(levels)s") % values
        return _("every image in %(name)s") % values

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def _namespaces(self) -> list[str]:
        return list(dict.fromkeys(each.namespace for each in self.grants))

    @property
    def replaced(self) -> list[Grant]:
        """Return the live permissions in whose place this one comes, of a valid form."""
        if self.cleaned_data["where"] == "namespace":
            return [*self.wide]
        return [self.there] if self.there else []

    @property
    def names(self) -> list[str]:
        """Return what the permission is on, of a valid form: "team/api", or "team" for all of it."""
        if self.cleaned_data["where"] == "namespace":
            return self._namespaces
        return [each.target for each in self.grants]

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("expiry") == KEEP and self.there:
            self.cleaned_data["expires_at"] = self.there.expires_at
        return self.cleaned_data

    def untouched(self) -> "AllowForm":
        """Return the form as if it had been sent as it is."""
        data = {name: self.get_initial_for_field(field, name) for name, field in self.fields.items()}
        return AllowForm(data, grants=self.grants, there=self.there, wide=self.wide, now=self.now)


class DenialFilterForm(forms.Form):
    """Which denied requests are shown. Nothing chosen: all."""

    q = forms.CharField(required=False, max_length=200)
    action = forms.ChoiceField(
        label=_("Action"),
        required=False,
        choices=[
            ("", _("any")),
            ("pull", _("pull")),
            ("push", _("push")),
            ("delete", _("delete")),
            ("mount", _("reusing layers")),
            ("list", _("listing the registry")),
            ("sign-in", _("signing in")),
        ],
    )
    kind = forms.ChoiceField(
        label=_("Reason"),
        required=False,
        choices=[
            ("", _("any")),
            ("level", _("no sufficient permission")),
            ("namespace", _("no such namespace")),
            ("name", _("impossible name")),
            ("user", _("user disabled or expired")),
            ("password", _("wrong password")),
            ("id_token", _("ID token")),
            ("mount", _("layers could not be reused")),
        ],
    )
    allowed = forms.ChoiceField(
        label=_("Allowed now"),
        required=False,
        choices=[("", _("any")), ("no", _("no")), ("yes", _("yes"))],
    )
    # Set by the links of other pages.
    user = forms.CharField(required=False, max_length=200)
    namespace = forms.CharField(required=False, max_length=200)
    repository = forms.CharField(required=False, max_length=200)

    def choices(self) -> list[forms.BoundField]:
        return [self["action"], self["kind"], self["allowed"]]


class UserGrantForm(GrantEndForm):
    """A permission of one user, given from the user's page."""

    namespace = forms.ModelChoiceField(
        Namespace.objects.none(),
        label=_("Namespace"),
        to_field_name="name",
        empty_label=_("Select a namespace"),
    )
    level = forms.ChoiceField(label=_("Level"), choices=LEVELS, initial="read")
    image_name = forms.CharField(
        label=_("Image"),
        required=False,
        help_text=_("Leave empty for the whole namespace. The image need not have been pushed yet."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    field_order = ("namespace", "level", "image_name", "expiry", "expires_on")

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["namespace"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Namespace.objects.filter(account=account)


class WhoMayForm(forms.Form):
    """Who may do something to an image, pushed already or not."""

    action = forms.ChoiceField(label=_("Action"), choices=ACTIONS, initial="pull")
    repository = forms.CharField(
        label=_("Image"),
        max_length=NAME_MAX,
        help_text=_("Namespace and image, such as team/api. It need not have been pushed yet."),
        widget=forms.TextInput(
            {"list": "repositories", "autocapitalize": "none", "spellcheck": "false", "autocomplete": "off",
             "class": "font-monospace", "placeholder": "team/api"}
        ),
    )  # fmt: skip


class AccessCheckForm(WhoMayForm):
    """Whether a user, or whoever is not signed in, may do that."""

    user = UserField(
        required=False,
        help_text=_("Its description or username. Leave empty to ask about anonymous clients."),
    )
    field_order = ("user", "action", "repository")

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        assert isinstance(field, UserField)
        field.of(account)


class NewUserForm(UserForm):
    """A user, with what it is for and where it may go."""

    PURPOSES = [
        ("read", _("Pull on a server"), _("Read: can pull, but cannot change anything.")),
        ("write", _("Push from CI"), _("Write: can pull and push.")),
        ("admin", _("Administer"), _("Admin: can pull, push and delete.")),
    ]
    purpose = forms.ChoiceField(
        label=_("What it does"),
        required=False,
        initial="read",
        choices=[(value, text) for value, text, _hint in PURPOSES],
        widget=forms.RadioSelect,
    )
    where = forms.CharField(
        label=_("Where"),
        required=False,
        max_length=2000,
        help_text=_("A namespace, or one image in it. Separate several with spaces. You can also add this later."),
        widget=forms.TextInput(
            {"list": "targets", "autocapitalize": "none", "spellcheck": "false", "autocomplete": "off",
             "class": "font-monospace", "placeholder": "team/api"}
        ),
    )  # fmt: skip
    like = UserField(
        label=_("Same permissions as"),
        required=False,
        help_text=_("Copies the permissions of an existing user, each with its end."),
    )
    SIGN_IN = [
        ("password", _("With a password"), _("Generated, and shown once.")),
        (
            "id_token",
            _("With ID tokens of CI jobs"),
            _("No password is stored anywhere. You choose the jobs on the next page."),
        ),
    ]
    sign_in = forms.ChoiceField(
        label=_("How it signs in"),
        required=False,
        initial="password",
        choices=[(value, text) for value, text, _hint in SIGN_IN],
        widget=forms.RadioSelect,
    )
    field_order = ("description", "purpose", "where", "like", "sign_in", "expiry", "expires_on")

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, account=account, **kwargs)
        field = self.fields["like"]
        assert isinstance(field, UserField)
        field.of(account)

    def clean_purpose(self) -> str:
        return self.cleaned_data["purpose"] or "read"

    @property
    def with_password(self) -> bool:
        """Of a valid form."""
        return bool(self.cleaned_data["sign_in"] != "id_token")

    def purposes(self) -> list[tuple[Any, Any]]:
        """Return a pair for each purpose: (radio button, its hint)."""
        return [(option, hint) for option, (*_rest, hint) in zip(self["purpose"], self.PURPOSES, strict=True)]

    def ways_to_sign_in(self) -> list[tuple[Any, Any]]:
        """Return a pair for each: (radio button, its hint)."""
        return [(option, hint) for option, (*_rest, hint) in zip(self["sign_in"], self.SIGN_IN, strict=True)]


class ActivityForm(forms.Form):
    """Which lines of an account's activity are shown. Nothing chosen: every change by people."""

    q = forms.CharField(required=False, max_length=200)
    kind = forms.ChoiceField(
        label=_("About"),
        required=False,
        choices=[
            ("", _("all changes")),
            ("users", _("users")),
            ("permissions", _("permissions")),
            ("namespaces", _("namespaces")),
            ("images", _("tags and images")),
            ("rules", _("rules")),
            ("members", _("members")),
            ("account", _("the account")),
            (
                _("Requests of clients"),
                [
                    ("pushes", _("pushes")),
                    ("pulls", _("pulls")),
                    ("denials", _("denied requests")),
                    ("requests", _("pushes, pulls and denied requests")),
                ],
            ),
            ("all", _("changes and requests")),
        ],
    )
    who = TextField(label=_("Who"), required=False, most=200, placeholder=_("Person or user"))
    since = forms.DateField(required=False, widget=DayInput())
    until = forms.DateField(required=False, widget=DayInput())

    def __init__(self, *args: Any, zone: tzinfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.fields["since"].label = gettext("Since (%(zone)s)") % {"zone": zone}
        self.fields["until"].label = gettext("Until (%(zone)s)") % {"zone": zone}

    def asked(self) -> ActivityFilter:
        valid = {name: value for name, value in self.cleaned_data.items() if value}
        return ActivityFilter(search=valid.pop("q", ""), zone=self.zone, **valid)
