"""Forms of the namespace pages. They parse; the rules are the services'."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import TextField, UserForm
from accounts.models import Account
from accounts.user_field import UserField
from namespaces.image_description import DESCRIPTION_MAX
from namespaces.models import Namespace
from namespaces.readme import README_MAX

LEVELS = [("read", _("read")), ("write", _("write")), ("admin", _("admin"))]


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


class ImageGrantForm(forms.Form):
    """A permission on one image: the image is the page's."""

    user = UserField()
    level = forms.ChoiceField(label=_("Level"), choices=LEVELS, initial="read")

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


class UserGrantForm(forms.Form):
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

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["namespace"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Namespace.objects.filter(account=account)


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
    field_order = ("description", "purpose", "where", "expiry", "expires_on")

    def clean_purpose(self) -> str:
        return self.cleaned_data["purpose"] or "read"

    def purposes(self) -> list[tuple[Any, Any]]:
        """Return a pair for each purpose: (radio button, its hint)."""
        return [(option, hint) for option, (*_rest, hint) in zip(self["purpose"], self.PURPOSES, strict=True)]
