"""Finds, compares and keeps the claims of an ID token. PURE."""

import json
import math
from collections.abc import Mapping
from typing import Any

Claims = Mapping[str, Any]

KEPT_BYTES = 8 * 1024
_KEPT_TEXT, _KEPT_LIST, _KEPT_DEPTH = 300, 20, 4


def find(claims: Claims, path: str) -> Any:
    """Return the claim called `path`, or the one that its dots lead to; None where there is none.

    Names may hold dots themselves, as `kubernetes.io` and `oidc.circleci.com/project-id` do: the longest name that
    leads on is followed.
    """
    if path in claims:
        return claims[path]
    for name in sorted(claims, key=len, reverse=True):
        inner = claims[name]
        if path.startswith(f"{name}.") and isinstance(inner, Mapping):
            return find(inner, path[len(name) + 1 :])
    return None


def texts(value: Any) -> tuple[str, ...]:
    """Return what a rule compares: of a list each entry, numbers and truth values as JSON writes them."""
    if isinstance(value, list):
        return tuple(text for each in value if (text := _text(each)) is not None)
    text = _text(value)
    return () if text is None else (text,)


def text(claims: Claims, path: str) -> str:
    """Return a claim that is one text, number or truth value; "" for any other."""
    return _text(find(claims, path)) or ""


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    return None


def flat(claims: Claims, prefix: str = "") -> dict[str, tuple[str, ...]]:
    """Return path → texts of every claim that a rule can name, in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in claims.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{path}.")
        elif values := texts(value):
            found[path] = values
    return found


def kept(claims: Claims) -> dict[str, Any]:
    """Return what of the claims is kept to be shown: at most KEPT_BYTES of JSON that any database takes."""
    found: dict[str, Any] = {}
    left = KEPT_BYTES - 2
    for name, value in claims.items():
        name, value = _kept_text(name), _kept_value(value, _KEPT_DEPTH)  # noqa: PLW2901
        left -= len(json.dumps({name: value}).encode())
        if left < 0:
            break
        found[name] = value
    return found


def _kept_value(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _kept_text(value)
    if isinstance(value, Mapping):
        inner = value.items() if depth else ()
        return {_kept_text(name): _kept_value(each, depth - 1) for name, each in inner}
    if isinstance(value, list):
        return [_kept_value(each, depth - 1) for each in value[:_KEPT_LIST]] if depth else []
    # 1e400 is JSON, and to Python it is infinite, which no database takes.
    return None if isinstance(value, float) and not math.isfinite(value) else value


def storable(text: str, most: int) -> str:
    """Return at most so many characters, without NUL and halves of characters, which databases refuse."""
    plain = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return plain if len(plain) <= most else f"{plain[:most]}…"


def _kept_text(text: str) -> str:
    return storable(text, _KEPT_TEXT)
