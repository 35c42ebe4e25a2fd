"""One apostrophe, ’, in whatever people read: pages, messages, and the texts of the API.

Not in what a terminal or a registry reads of us: tokens/, events/, commands, logs.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STRAIGHT = re.compile(r"(?<=\w)'(?=(?:s|t|d|re|ll|ve)\b)|(?<=s)'(?=[\s.,;:)]|$)")
FOR_MACHINES = {"migrations", "tokens", "events", "management"}
SAYS = {
    "_",
    "gettext",
    "gettext_lazy",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "said",
    "lazy",
}
SAYS_AS = {"help_text", "label", "description"}
NO_TEXT = re.compile(r"{#.*?#}|{% comment %}.*?{% endcomment %}|(?<=[\s=:(])'[^'\n]*'(?=[\s%}|)])", re.DOTALL)


def said(source: str) -> Iterator[str]:
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        texts = call.args if name in SAYS or name.endswith("Error") else []
        for text in [*texts, *(each.value for each in call.keywords if each.arg in SAYS_AS)]:
            yield from (
                each.value
                for each in ast.walk(text)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def straight(path: Path) -> list[str]:
    source = path.read_text()
    texts = NO_TEXT.sub("", source).splitlines() if path.suffix == ".html" else said(source)
    return [text.strip() for text in texts if STRAIGHT.search(text)]


@pytest.mark.parametrize("room", ["accounts", "namespaces", "registry_sync", "templates"])
def test_no_text_mixes_them(room: str) -> None:
    files = [each for each in (ROOT / room).rglob("*.*") if each.suffix in (".py", ".html")]
    found = {str(path): straight(path) for path in files if not FOR_MACHINES & set(path.parts)}
    assert not {path: texts for path, texts in found.items() if texts}


def test_what_would_be_found_is_found() -> None:
    for source in (
        '_("the registry\'s")',
        'x(help_text="users\' names")',
        'raise PushError(f"a worker\'s {x}")',
    ):
        assert any(STRAIGHT.search(text) for text in said(source)), source
    assert not any(STRAIGHT.search(text) for text in said('_("the registry’s"), x("the log\'s")'))
