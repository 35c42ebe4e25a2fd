"""Which texts the sources ask gettext for: what makemessages finds, without gettext's tools."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import template

ROOT = Path(__file__).parents[2]
FOLDERS = ("accounts", "manager", "namespaces", "registry_sync", "templates")
# By name, how many texts it takes, and whether a context comes first.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), (1, False)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (2, False)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), (1, True)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (2, True)),
}
LITERAL = r"""u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*\""""
CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*((?:{LITERAL})(?:\s*,\s*(?:{LITERAL}))*)")

Key = tuple[str, str, str]  # context, text, plural


def every() -> set[Key]:
    found: set[Key] = set()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix == ".py":
                found.update(of_python(path.read_text()))
            elif path.suffix in (".html", ".txt"):
                found.update(of_template(path.read_text()))
    return found


def of_python(source: str) -> Iterator[Key]:
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            yield from _key(
                name, [each.value if isinstance(each, ast.Constant) else None for each in call.args]
            )


def of_template(source: str) -> Iterator[Key]:
    for name, literals in CALL.findall(template.templatize(source)):
        texts = ast.literal_eval(f"({literals},)")
        yield from _key(name, list(texts))


def _key(name: str, given: list[object]) -> Iterator[Key]:
    number, in_context = CALLS.get(name, (0, False))
    texts = given[: number + in_context]
    if not number or len(texts) < number + in_context or not all(isinstance(each, str) for each in texts):
        return
    context = texts.pop(0) if in_context else ""
    yield str(context), str(texts[0]), str(texts[1]) if number > 1 else ""
