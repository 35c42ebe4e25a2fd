"""What our renderer of forms writes itself is what Django's templates write."""

from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.form_renderer import FormRenderer

ODD = "<b> & \"'é"
CHOICES: list[Any] = [
    ("", gettext_lazy("everything")),
    (ODD, ODD),
    (1000, SafeString("<i>safe</i>")),
    (ODD, [("a", "A"), ("b", 2000)]),
    ("", [("c", "C")]),
    ("empty", []),
]
ATTRS: list[dict[str, Any]] = [
    {},
    {"id": "id_x", "class": ODD, "required": True, "disabled": False, "maxlength": 2000, ODD: ODD},
    {"data-note": SafeString("&amp;"), "title": gettext_lazy("everything")},
]


@pytest.mark.parametrize("attrs", ATTRS)
@pytest.mark.parametrize("value", [None, "", ODD, 1000, "b", SafeString("&amp;"), ["a", "b"]])
@pytest.mark.parametrize(
    "widget",
    [
        forms.TextInput(), forms.NumberInput(), forms.EmailInput(), forms.URLInput(), forms.HiddenInput(),
        forms.PasswordInput(render_value=True), forms.DateInput({"type": "date"}), forms.Textarea(),
        forms.Select(choices=CHOICES), forms.SelectMultiple(choices=CHOICES), forms.CheckboxInput(),
        forms.RadioSelect(choices=CHOICES), forms.CheckboxSelectMultiple(choices=CHOICES),
    ],
    ids=lambda widget: type(widget).__name__,
)  # fmt: skip
def test_it_writes_what_django_writes(widget: forms.Widget, value: Any, attrs: dict[str, Any]) -> None:
    ours, theirs = (
        widget.render("x" + ODD, value, attrs, renderer) for renderer in (FormRenderer(), DjangoTemplates())
    )
    assert ours == theirs
    assert isinstance(ours, SafeString)
