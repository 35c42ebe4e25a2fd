"""Forms of ID token issuers, the installation's and an account's own. accounts/services/issuers.py decides."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.common.translation import translate
from accounts.forms import TextField
from accounts.id_tokens.presets import PRESETS
from accounts.models import IdTokenIssuer
from accounts.models.id_token_issuer import URL_MAX
from accounts.services.issuers import NAME_MAX


class IssuerForm(forms.Form):
    """What may change of an issuer."""

    name = TextField(
        label=_("Name"),
        most=NAME_MAX,
        required=False,
        help_text=_("How people find it in the list. Needed where two issuers have the same URL."),
    )
    preset = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        help_text=_(
            "Decides which claims users are asked for and how pull requests are recognized. For a well-known "
            "service it is fixed."
        ),
    )
    pasted_jwks = forms.CharField(
        label=_("Public keys"),
        required=False,
        strip=True,
        widget=forms.Textarea(
            {"rows": 6, "spellcheck": "false", "autocomplete": "off", "class": "font-monospace"}
        ),
        help_text=_(
            "Leave empty to have them fetched from the issuer. Paste its JWKS if the panel cannot reach it, and for "
            "Kubernetes (kubectl get --raw /openid/v1/jwks). Pasted keys are never fetched."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["preset"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [("", _("Any OIDC issuer"))] + [
            (slug, translate(preset.name)) for slug, preset in PRESETS.items() if slug != "other"
        ]

    @classmethod
    def of(cls, issuer: IdTokenIssuer) -> "IssuerForm":
        return cls(initial={"name": issuer.name, "preset": issuer.preset, "pasted_jwks": issuer.pasted_jwks})


class NewIssuerForm(IssuerForm):
    url = TextField(
        label=_("URL"),
        most=URL_MAX,
        placeholder="https://gitlab.example.com",
        help_text=_("Exactly the “iss” of its tokens, with or without a slash at the end."),
    )
    field_order = ("url", "name", "preset", "pasted_jwks")


class OwnIssuerForm(IssuerForm):
    """Of an account: its keys are pasted, because operators alone decide which addresses the panel asks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keys = self.fields["pasted_jwks"]
        keys.required = True
        keys.help_text = _(
            "Its JWKS, with public keys only. For Kubernetes: kubectl get --raw /openid/v1/jwks. Paste the keys"
            " again when the issuer gets new ones."
        )


class NewOwnIssuerForm(OwnIssuerForm, NewIssuerForm):
    pass
