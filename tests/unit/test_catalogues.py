"""The catalogues: whole, as compiled as written, and with every value and tag that the English has."""

import gettext
import re
from collections import Counter

import pytest

from tests.checks import source_texts
from tests.checks.catalogue import LOCALE, Entry, catalogue, read

LANGUAGES = sorted(path.name for path in LOCALE.iterdir() if path.is_dir())
VALUE = re.compile(r"%\(\w+\)[sd]|{\w*}|%%|%s|%d")
TAG = re.compile(r"</?\w+[^>]*>")
CODE = re.compile(r"<code>(.*?)</code>")
CONTEXT = "\x04"
every_language = pytest.mark.parametrize("language", LANGUAGES)


def test_there_is_french() -> None:
    assert LANGUAGES == ["fr"]


@every_language
def test_every_text_is_translated_and_none_is_a_guess(language: str) -> None:
    entries = catalogue(language)
    assert len(entries) > 1600
    assert [each.key for each in entries if each.fuzzy or not all(each.translations)] == []


@every_language
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    with (LOCALE / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    written: dict[str | tuple[str, int], str] = {}
    for entry in catalogue(language):
        context, text, plural = entry.key
        name = f"{context}{CONTEXT}{text}" if context else text
        if plural:
            written |= {(name, form): text for form, text in enumerate(entry.translations)}
        else:
            written[name] = entry.translations[0]
    assert {key: text for key, text in compiled.items() if key} == written


def lost(entry: Entry) -> list[str]:
    """Return what the translations have too many of, or too few."""
    _context, text, plural = entry.key
    found = []
    for number, translation in enumerate(entry.translations):
        english = plural if number and plural else text
        for pattern in (VALUE, TAG, CODE):
            wanted, given = Counter(pattern.findall(english)), Counter(pattern.findall(translation))
            if plural and pattern is VALUE:  # "one tag" may have its number or not
                given |= wanted & Counter(VALUE.findall(text))
                wanted |= given & Counter(VALUE.findall(plural))
            if wanted != given:
                found.append(translation)
    return found


@every_language
def test_no_value_and_no_tag_is_lost(language: str) -> None:
    # The form of a name is written in French inside its <code>.
    assert [each for entry in catalogue(language) for each in lost(entry) if "ESPACE" not in each] == []


def test_french_has_the_spaces_and_apostrophes_that_printers_give_it() -> None:
    wrong = re.compile(r"(?<=\w)'(?=\w)| [;!?»](?!\S)|« |(?<=[^\s ]) :(?=\s|$)|(?<=\w)[;!?](?=\s|$)")
    found = [text for entry in catalogue("fr") for text in entry.translations if wrong.search(text)]
    assert found == []


PO = """
msgid ""
msgstr ""
"Language: fr\\n"

# of a role
#, python-format
msgctxt "role"
msgid "owner of "
"%(name)s"
msgstr "propriétaire"

#, fuzzy
msgid "%(n)s tag"
msgid_plural "%(n)s tags"
msgstr[0] "un tag"
msgstr[1] ""
"""


def test_a_catalogue_is_read_as_gettext_reads_it() -> None:
    _header, role, tags = read(PO)
    assert role.key == ("role", "owner of %(name)s", "")
    assert role.translations == ["propriétaire"]
    assert not role.fuzzy
    assert lost(role) == ["propriétaire"]
    assert tags.key == ("", "%(n)s tag", "%(n)s tags")
    assert tags.translations == ["un tag", ""]
    assert tags.fuzzy


@every_language
def test_every_text_of_the_sources_is_in_the_catalogue_and_no_other(language: str) -> None:
    """`make messages` puts them there. One msgid may stand with a plural and without."""
    asked = {key[:2] for key in source_texts.every()}
    assert asked == {each.key[:2] for each in catalogue(language)}


PYTHON = """
_("one" " text")
pgettext_lazy("role", "owner")
ngettext("%(n)s tag", "%(n)s tags", count) % {"n": count}
_(name), other("not this"), ngettext("half")
"""
TEMPLATE = """{% load i18n %}{% translate "It’s" %} {% translate "owner" context "role" %}
{% blocktranslate count n=tags with name=name trimmed %}
  {{ n }} tag of {{ name }}
{% plural %}{{ n }} tags of {{ name }}{% endblocktranslate %}{% state _("done") "good" %}{# {% translate "no" %} #}"""


def test_sources_are_read_as_makemessages_reads_them() -> None:
    assert set(source_texts.of_python(PYTHON)) == {
        ("", "one text", ""),
        ("role", "owner", ""),
        ("", "%(n)s tag", "%(n)s tags"),
    }
    assert set(source_texts.of_template(TEMPLATE)) == {
        ("", "It’s", ""),
        ("role", "owner", ""),
        ("", "%(n)s tag of %(name)s", "%(n)s tags of %(name)s"),
        ("", "done", ""),
    }
