"""What an image says of itself, wherever it says it."""

from typing import Any

import pytest

from namespaces.image_description import DESCRIPTION_MAX, image_description

KEY, OLD = "org.opencontainers.image.description", "org.label-schema.description"


def annotated(text: str, key: str = KEY) -> dict[str, Any]:
    return {"annotations": {key: text}}


def labelled(text: str, key: str = KEY) -> dict[str, Any]:
    return {"config": {"labels": {key: text}}}


@pytest.mark.parametrize(
    ("details", "found"),
    [
        (annotated("An API"), "An API"),
        (labelled("An API"), "An API"),
        (labelled("An API", OLD), "An API"),
        (annotated("An API") | labelled("Debian"), "An API"),
        (annotated("older", OLD) | labelled("An API"), "older"),
        (annotated(" ") | labelled("An API"), "An API"),
        ({"chart": {"description": "A chart"}}, "A chart"),
        (annotated("  two\nlines \u200b \u202e"), "two lines"),
        (annotated("") | {"config": {"labels": {KEY: 5}}, "chart": []}, ""),
        ({"annotations": 7}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_first_that_says_something(details: Any, found: str) -> None:
    assert image_description(details) == found


def test_a_long_one_is_shortened() -> None:
    found = image_description(annotated("word " * 100))
    assert len(found) <= DESCRIPTION_MAX
    assert found.endswith("word…")
