"""A manifest's own bytes, written so that a person can read them. PURE."""

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

SHOWN_MAX = 64 * 1024  # characters


@dataclass(frozen=True, slots=True)
class Raw:
    """`text` to be shown; `formatted` when it was laid out anew; `cut` when there is more of it."""

    text: str
    formatted: bool
    cut: bool


def shown(body: bytes) -> Raw:
    """JSON is laid out when nothing is lost by it, anything else is shown as it is. Never raises."""
    text = _laid_out(body)
    formatted = text is not None
    if text is None:
        text = body[: SHOWN_MAX * 4 + 4].decode("utf-8", "replace")
    return Raw(visible(text[:SHOWN_MAX]), formatted, len(text) > SHOWN_MAX)


def _laid_out(body: bytes) -> str | None:
    """None for what is not JSON, or would not be the same again: doubled keys, and numbers that round."""
    try:
        document = json.loads(body, object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)
        # Piece by piece: deep nesting makes a megabyte of brackets a gigabyte of indentation.
        text = ""
        for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(document):
            text += piece
            if len(text) > SHOWN_MAX:
                break
    except (ValueError, RecursionError):
        return None
    return text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_text: str) -> NoReturn:
    raise ValueError


def visible(text: str) -> str:
    """Characters that hide, or turn the direction of reading, are written as JSON would escape them."""
    if text.isprintable():
        return text
    return "".join(each if each in "\n\t" or _is_visible(each) else _escaped(each) for each in text)


def _is_visible(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) in {"Zs", "Co", "Cn"}


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
