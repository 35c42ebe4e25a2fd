"""The form of a trust policy: what people know of their jobs, as rules. It parses; the service judges.

A claim that the preset suggests has a field of its own. Others are rows of name, comparison and values, and what a
pasted token says is offered to be ticked. All of it works without a script.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.common.translation import translate
from accounts.forms import TextField
from accounts.id_tokens.presets import Preset
from accounts.id_tokens.proposals import OFFERED_MOST, Proposal
from accounts.id_tokens.rules import IS, LIKE, MOST_RULES
from accounts.models import IdTokenIssuer, TrustPolicy
from accounts.services.trust_policies import NOTE_MAX, version_of

ROWS, MORE_ROWS = 2, 3
HOW = [(IS, _("is")), (LIKE, _("matches"))]


class LinesInput(forms.Textarea):
    """Values, one a line."""

    def __init__(self, placeholder: str = "", label: str = "") -> None:
        attrs = {"rows": 1, "class": "font-monospace", "autocapitalize": "none", "spellcheck": "false",
                 "autocomplete": "off"}  # fmt: skip
        if placeholder:
            attrs["placeholder"] = placeholder
        if label:
            attrs["aria-label"] = label
        super().__init__(attrs)


class Lines(forms.CharField):
    """Cleans to the list of its lines that are not empty."""

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]


class TrustPolicyForm(forms.Form):
    """`given` is what was sent; None for a form that is fresh. `initial` is by name of a field."""

    issuer = forms.ChoiceField(label=_("Issuer"))
    pull_requests_may_push = forms.BooleanField(
        label=_("Pull requests may push"),
        required=False,
        help_text=_(
            "Off: jobs of pull requests may only pull. On: whoever can open a pull request that is built can push what "
            "they like as this user."
        ),
    )
    audience = forms.ChoiceField(
        label=_("Audience"),
        help_text=_(
            "The audience for which the job must request its token. Tokens for other audiences are refused."
        ),
    )
    note = TextField(label=_("Note"), most=NOTE_MAX, required=False, placeholder=_("Release jobs"))
    version = forms.CharField(widget=forms.HiddenInput, required=False)  # of the policy, as it was shown
    rows = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=MOST_RULES)

    def __init__(
        self,
        given: Any = None,
        *,
        preset: Preset,
        issuers: Sequence[IdTokenIssuer],
        audiences: Sequence[str],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.preset = preset
        first = {"rows": ROWS, "audience": audiences[0]} | ({"issuer": issuers[0].pk} if issuers else {})
        super().__init__(given, initial=first | dict(initial or {}))
        self._choices("issuer", [(each.pk, issuer_text(each, preset)) for each in issuers])
        self._choices("audience", [(each, each) for each in audiences])
        self.row_count = _bounded((given or {}).get("rows", self.initial["rows"]))
        for number, each in enumerate(preset.suggestions):
            self.fields[f"claim_{number}"] = Lines(
                label=translate(each.label),
                help_text=translate(each.help),
                required=False,
                widget=LinesInput(each.example),
            )
        for number in range(self.row_count):
            self._add_row(number)
        lists = (given.getlist("offer"), given.getlist("offered")) if given is not None else ([], [])
        for name, field in self.fields.items():
            if isinstance(field, Lines):
                lines = str(self[name].value() or "").splitlines()
                field.widget.attrs["rows"] = min(max(len(lines), 1), 10)
        self.offers = lists[0][:OFFERED_MOST] or self.initial.get("offers", [])
        self.offered = lists[1][:OFFERED_MOST]

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def _add_row(self, number: int) -> None:
        attrs = {
            "class": "font-monospace",
            "autocapitalize": "none",
            "spellcheck": "false",
            "autocomplete": "off",
        }
        self.fields[f"name_{number}"] = forms.CharField(
            label=_("Claim"), required=False, widget=forms.TextInput(attrs)
        )
        self.fields[f"how_{number}"] = forms.ChoiceField(label=_("Comparison"), required=False, choices=HOW)
        self.fields[f"values_{number}"] = Lines(label=_("Values"), required=False, widget=LinesInput())

    @property
    def suggested(self) -> list[forms.BoundField]:
        return [self[f"claim_{number}"] for number in range(len(self.preset.suggestions))]

    @property
    def free_rows(self) -> list[tuple[forms.BoundField, ...]]:
        return [
            (self[f"name_{number}"], self[f"how_{number}"], self[f"values_{number}"])
            for number in range(self.row_count)
        ]

    @property
    def offer_lines(self) -> list[tuple[str, str, str, bool]]:
        """Return (what is sent, claim, value, whether it is ticked) of each that can be read."""
        return [
            (text, *pair, text in self.offered) for text in self.offers if (pair := _pair(text)) is not None
        ]

    def rules(self) -> dict[str, dict[str, list[str]]]:
        """Return the rules of a form that was cleaned; a claim that is named twice has an error."""
        found: dict[str, dict[str, list[str]]] = {}
        self._fields_by_claim: dict[str, str] = {}
        for number, each in enumerate(self.preset.suggestions):
            if values := self.cleaned_data.get(f"claim_{number}", []):
                self._put(found, each.claim, _suggested_rule(values), f"claim_{number}")
        for number in range(self.row_count):
            name = self.cleaned_data.get(f"name_{number}", "")
            values = self.cleaned_data.get(f"values_{number}", [])
            if name or values:
                how = self.cleaned_data.get(f"how_{number}") or IS
                self._put(found, name, {how: values}, f"name_{number}" if not name else f"values_{number}")
        for text in self.offered:
            if pair := _pair(text):
                self._put(found, pair[0], {IS: [pair[1]]}, "")
        return found

    def _put(
        self, found: dict[str, dict[str, list[str]]], claim: str, rule: dict[str, list[str]], field: str
    ) -> None:
        if claim in found and found[claim] != rule:
            self.add_error(field or None, _("%(claim)s is named twice.") % {"claim": claim})
        found[claim] = rule
        self._fields_by_claim[claim] = field

    def put_version(self, version: str) -> None:
        """Have the form that is shown again be of this version."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["version"] = version
        self.data = data

    def put_problems(self, problems: Mapping[str, str]) -> None:
        """Each sentence goes to the field of its claim."""
        for claim, sentence in problems.items():
            field = self._fields_by_claim.get(claim, "")
            self.add_error(field or None, sentence)


def initial_of(policy: TrustPolicy, preset: Preset) -> dict[str, Any]:
    """Return the initial values of a form that shows the policy."""
    left, found = dict(policy.rules), dict[str, Any]()
    for number, each in enumerate(preset.suggestions):
        rule = left.get(each.claim)
        if rule is not None and _suggested_rule(next(iter(rule.values()))) == rule:
            found[f"claim_{number}"] = "\n".join(next(iter(rule.values())))
            del left[each.claim]
    for number, (claim, rule) in enumerate(left.items()):
        ((how, values),) = rule.items()
        found |= {f"name_{number}": claim, f"how_{number}": how, f"values_{number}": "\n".join(values)}
    return found | {
        "rows": len(left) + ROWS,
        "version": version_of(policy),
        "issuer": policy.issuer_id,
        "audience": policy.audience,
        "pull_requests_may_push": policy.pull_requests_may_push,
        "note": policy.note,
    }


def initial_of_proposal(proposal: Proposal, preset: Preset) -> dict[str, Any]:
    """Return the initial values that a pasted token proposes."""
    offered = list(proposal.offered)
    found: dict[str, Any] = {
        "offers": [json.dumps(each) for each in offered],
        "note": proposal.name[:NOTE_MAX],
    }
    numbers = {each.claim: number for number, each in enumerate(preset.suggestions)}
    return found | {
        f"claim_{numbers[claim]}": value for claim, value in proposal.filled.items() if claim in numbers
    }


def issuer_text(issuer: IdTokenIssuer, preset: Preset) -> str:
    name = issuer.name or preset.name
    return f"{name} ({issuer.url})"


def _suggested_rule(values: list[str]) -> dict[str, list[str]]:
    """People write `*` for anything."""
    return {LIKE if any("*" in each for each in values) else IS: values}


def _bounded(rows: Any) -> int:
    try:
        return max(0, min(int(rows), MOST_RULES))
    except (TypeError, ValueError):
        return ROWS


def _pair(text: str) -> tuple[str, str] | None:
    """Return the claim and value that a box stands for, None for what no form of ours sent."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or len(found) != 2:  # noqa: PLR2004
        return None
    if all(isinstance(each, str) and each.isprintable() for each in found):
        return found[0], found[1]
    return None
