"""The forms of a webhook. They only parse; namespaces/services/webhooks.py decides."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.common.translation import translate
from accounts.forms import TextField
from accounts.outbound.addresses import URL_MAX
from namespaces.models import Webhook
from namespaces.names import REPOSITORY_MAX
from namespaces.services.webhooks import AUTHORIZATION_MAX, NAME_MAX
from namespaces.webhooks.event_types import FORMATS, LABELS, EventType
from namespaces.webhooks.presets import Preset

_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class WebhookForm(forms.Form):
    """What one receiver is told and where it is, with what a preset knows of it."""

    name = TextField(
        label=_("Name"),
        most=NAME_MAX,
        required=False,
        help_text=_("How people find it in the list. Empty: its address."),
    )
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Select at least one of the events.")},
    )
    url = TextField(label=_("URL"), most=URL_MAX)
    authorization = TextField(label=_("Authorization"), most=AUTHORIZATION_MAX, required=False)
    format = forms.ChoiceField(label=_("Format"))

    def __init__(self, *args: Any, preset: Preset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preset = preset
        events, formats = self.fields["event_types"], self.fields["format"]
        assert isinstance(events, forms.MultipleChoiceField)
        assert isinstance(formats, forms.ChoiceField)
        events.choices = [(each.value, translate(LABELS[each])) for each in EventType if each in preset.types]
        formats.choices = [(each.value, translate(FORMATS[each].label)) for each in preset.formats]
        if len(preset.formats) == 1:
            formats.widget = forms.HiddenInput()
        for name, help_text in (("url", preset.url_help), ("authorization", preset.authorization_help)):
            self.fields[name].help_text = translate(help_text)
            self.fields[name].widget.attrs |= _PLAIN
        self.fields["url"].widget.attrs |= {"placeholder": preset.url_example, "inputmode": "url"}

    def values(self) -> dict[str, Any]:
        """Return what the service wants, of a form that was cleaned."""
        return {
            name: self.cleaned_data[name]
            for name in ("name", "format", "event_types", "url", "authorization")
        }


class NewWebhookForm(WebhookForm):
    """`where` is "", "team" or "team/app"."""

    where = TextField(
        label=_("For"),
        most=REPOSITORY_MAX,
        required=False,
        placeholder=_("the whole account"),
        help_text=_(
            "A namespace (team) or one image (team/app), which need not have been pushed yet. Empty: everything in the "
            "account."
        ),
    )
    field_order = ("name", "where", "url", "authorization", "event_types", "format")

    def __init__(self, *args: Any, preset: Preset, where: str = "", **kwargs: Any) -> None:
        first = {
            "where": where,
            "event_types": [each.value for each in EventType if each in preset.chosen],
            "format": preset.format.value,
        }
        super().__init__(*args, preset=preset, initial=first, **kwargs)
        self.fields["where"].widget.attrs |= _PLAIN
        self.fields["authorization"].required = preset.needs_authorization

    def clean_authorization(self) -> str:
        given = str(self.cleaned_data["authorization"])
        if self.preset.needs_authorization and not given.strip():
            raise forms.ValidationError(
                _("%(receiver)s accepts nothing without it."), params={"receiver": self.preset.name}
            )
        return given


class WebhookChangeForm(WebhookForm):
    """Of a webhook that is there. What is secret is not shown; it stays where nothing is entered."""

    no_authorization = forms.BooleanField(label=_("Send no Authorization header any more"), required=False)
    field_order = ("name", "url", "authorization", "no_authorization", "event_types", "format")

    def __init__(
        self, *args: Any, preset: Preset, webhook: Webhook, has_authorization: bool, **kwargs: Any
    ) -> None:
        first = {
            "name": webhook.name,
            "url": webhook.url,
            "event_types": webhook.event_types,
            "format": webhook.format,
        }
        super().__init__(*args, preset=preset, initial=first, **kwargs)
        if "?" in webhook.url:
            self.fields["url"].help_text = _(
                "Values after “?” are hidden. Leave the URL as it is, or enter all of it."
            )
        if has_authorization:
            self.fields["authorization"].help_text = _("One is set. Leave this empty to keep it.")
        else:
            del self.fields["no_authorization"]

    def values(self) -> dict[str, Any]:
        found = super().values()
        if self.cleaned_data.get("no_authorization"):
            return found | {"authorization": ""}
        if not found["authorization"]:
            del found["authorization"]
        return found
