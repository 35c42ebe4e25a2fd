"""What a .po file says, without gettext's tools, which a fresh machine has not."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LOCALE = Path(__file__).parents[2] / "manager" / "locale"
KEYWORDS = ("msgctxt", "msgid", "msgid_plural", "msgstr")


@dataclass
class Entry:
    """One text: `texts` by keyword, "msgid" or "msgstr[1]"."""

    texts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Context, text, plural: what the sources ask for."""
        return self.texts.get("msgctxt", ""), self.texts["msgid"], self.texts.get("msgid_plural", "")

    @property
    def translations(self) -> list[str]:
        return [text for keyword, text in self.texts.items() if keyword.startswith("msgstr")]


def catalogue(language: str) -> list[Entry]:
    """Return all but the header."""
    return list(read((LOCALE / language / "LC_MESSAGES" / "django.po").read_text()))[1:]


def read(source: str) -> Iterator[Entry]:
    entry, keyword = Entry(), ""
    for line in [*source.splitlines(), ""]:
        if line.startswith("#,"):
            entry.fuzzy = "fuzzy" in line
        elif line.startswith(KEYWORDS):
            keyword, _space, text = line.partition(" ")
            entry.texts[keyword] = ast.literal_eval(text)
        elif line.startswith('"'):
            entry.texts[keyword] += ast.literal_eval(line)
        elif not line and entry.texts:
            yield entry
            entry = Entry()
