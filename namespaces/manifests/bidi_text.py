"""A manifest's bytes as text that is safe to show: invisible and direction-changing characters are escaped. PURE."""

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

DISPLAY_MAX = 64 * 1024  # characters


@dataclass(frozen=True, slots=True)
class DisplayText:
    """`formatted`: JSON was indented. `cut`: `text` ends after DISPLAY_MAX characters."""

    text: str
    formatted: bool
    cut: bool


def display_text(body: bytes) -> DisplayText:
    """Return indented JSON where that loses nothing, else the text as it is. Never raises."""
    text = _pretty_json(body)
    formatted = text is not None
    if text is None:
        text = body[: DISPLAY_MAX * 4 + 4].decode("utf-8", "replace")
    return DisplayText(escape_invisible(text[:DISPLAY_MAX]), formatted, len(text) > DISPLAY_MAX)


def _pretty_json(body: bytes) -> str | None:
    """Return None for what is not JSON, or would change: duplicate keys, and floats that would be rounded."""
    try:
        document = json.loads(
            body, object_pairs_hook=_unique_keys, parse_float=_exact, parse_constant=_reject
        )
        # Piece by piece: deep nesting makes a megabyte of brackets a gigabyte of indentation.
        text = ""
        for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(document):
            text += piece
            if len(text) > DISPLAY_MAX:
                break
    except (ValueError, RecursionError):
        return None
    return text


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError
    return mapping


def _exact(text: str) -> float:
    number = float(text)
    if repr(number) != text:
        raise ValueError
    return number


def _reject(_text: str) -> NoReturn:
    raise ValueError


def escape_invisible(text: str) -> str:
    """Escape characters that are invisible or change the text direction, as JSON does: \\u202e."""
    if text.isprintable():
        return text
    return "".join(each if each in "\n\t" or _is_visible(each) else _escaped(each) for each in text)


def _is_visible(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) in {"Zs", "Co", "Cn"}


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
