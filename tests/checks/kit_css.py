"""Keep static/vendor/tabler/tabler.css: the rules of the kit that a page of ours can match. Usage: kit_css [--check].

The kit as it is published is ten times as heavy as what we use of it. A rule is kept when each class and attribute of
its selector is a word somewhere in our templates, template tags, forms or scripts, so a name is never put together from
pieces there. What stands inside `:not()`, `:is()` and the like is kept as it is. A custom property is kept when a rule
that is served, or one of ours, reads it.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2

HERE = Path(__file__).parents[2]
PUBLISHED = HERE / "vendor" / "tabler" / "tabler.min.css"
SERVED = HERE / "static" / "vendor" / "tabler" / "tabler.css"
SOURCES = ("templates/**/*.html", "*/templatetags/*.py", "*/forms.py", "namespaces/readme.py", "static/*.js")
OURS = HERE / "static" / "panel.css"
TOKEN = re.compile(r"""(?<=[{;])(--[\w-]+):((?:"[^"]*"|'[^']*'|[^;}"'])*);?""")
READ = re.compile(r"var\((--[\w-]+)")
EMPTY = re.compile(r"^[^{}\n]*\{\}\n", re.MULTILINE)
HOLDS_RULES = {"media", "supports", "layer", "container"}


def words_of_ours() -> set[str]:
    """Return whatever may be the name of a class or an attribute."""
    text = "\n".join(file.read_text() for pattern in SOURCES for file in HERE.glob(pattern))
    in_scripts = {
        re.sub("[A-Z]", lambda each: f"-{each[0].lower()}", name)
        for name in re.findall(r"dataset\.(\w+)", text)
    }
    return {*re.findall(r"[A-Za-z][\w-]*", text), *(f"data-{name}" for name in in_scripts)}


def used(css: str, words: set[str], ours: str = "") -> str:
    """Return the rules that `words` can match, one a line, with the comment that names version and licence.

    `ours` is the CSS that is loaded with them.
    """
    comment = re.search(r"/\*!.*?\*/", css, re.DOTALL)
    rules = list(_kept(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), words))
    animated = "".join(rule for rule in rules if not rule.startswith("@keyframes"))
    moving = [rule for rule in rules if not rule.startswith("@keyframes") or _name(rule) in animated]
    return _with_tokens_read("\n".join([comment[0] if comment else "", *moving, ""]), ours)


def _with_tokens_read(css: str, ours: str) -> str:
    values: dict[str, str] = {}
    for name, value in TOKEN.findall(css):
        values[name] = values.get(name, "") + value
    read, new = set[str](), set(READ.findall(TOKEN.sub("", css) + ours))
    while new:
        read |= new
        new = set(READ.findall("".join(values.get(name, "") for name in new))) - read
    return EMPTY.sub("", TOKEN.sub(lambda token: token[0] if token[1] in read else "", css))


def _kept(nodes: Iterable[Any], words: set[str]) -> Iterator[str]:
    for node in nodes:
        if node.type == "qualified-rule":
            selectors = [each for each in _selectors(node.prelude) if _matches(each, words)]
            if selectors:
                yield ",".join(map(_text, selectors)) + "{" + _text(node.content) + "}"
        elif node.type == "at-rule" and node.lower_at_keyword in HOLDS_RULES and node.content is not None:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            if rules := "\n".join(_kept(inner, words)):
                yield f"@{node.at_keyword} {_text(node.prelude)}{{\n{rules}\n}}"
        elif node.type == "at-rule" and node.lower_at_keyword != "charset":
            yield node.serialize()


def _selectors(prelude: list[Any]) -> Iterator[list[Any]]:
    one: list[Any] = []
    for token in prelude:
        if token == ",":
            yield one
            one = []
        else:
            one.append(token)
    yield one


def _matches(selector: list[Any], words: set[str]) -> bool:
    for before, token in zip([None, *selector], selector, strict=False):
        if before == "." and token.type == "ident" and token.value not in words:
            return False
        if token.type == "[] block" and token.content[0].value not in words:
            return False
    return True


def _text(tokens: list[Any]) -> str:
    return tinycss2.serialize(tokens).strip()


def _name(keyframes: str) -> str:
    return keyframes.removeprefix("@keyframes").partition("{")[0].strip()


def main(arguments: list[str]) -> int:
    wanted = used(PUBLISHED.read_text(), words_of_ours(), OURS.read_text())
    if "--check" not in arguments:
        SERVED.write_text(wanted)
    elif SERVED.read_text() != wanted:
        print(f"{SERVED.relative_to(HERE)} is not what the templates use: run `make format`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
