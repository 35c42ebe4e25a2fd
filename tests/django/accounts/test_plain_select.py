"""The select of long lists is Django's, written faster."""

from typing import Any

import pytest
from django import forms
from django.test.html import parse_html

from accounts.common.plain_select import Select

CHOICES = [("", "Select a user"), ("u1", "One & only"), ('"><b>', "<script>"), (2, "Two")]


@pytest.mark.parametrize("value", [None, "", "u1", '"><b>', 2, "none of them"])
@pytest.mark.parametrize(
    "attrs", [{}, {"id": "id_user", "required": True, "disabled": False, "class": 'a"b'}]
)
def test_it_writes_what_djangos_writes(value: Any, attrs: dict[str, Any]) -> None:
    ours, django = (each(choices=CHOICES).render("user", value, attrs) for each in (Select, forms.Select))
    assert parse_html(ours) == parse_html(django)


def test_the_look_is_that_of_a_select() -> None:
    class Form(forms.Form):
        user = forms.ChoiceField(choices=CHOICES, widget=Select)

    assert Form()["user"].widget_type == "select"
