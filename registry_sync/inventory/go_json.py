"""JSON as Go's encoding/json reads it, because that is what registries and clients read manifests with. PURE.

A manifest is what they take it for: keys match in any case, a key that comes again is read over what it said before,
bytes that are no UTF-8 become U+FFFD, and what nobody asks for may be of any size.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias

DEPTH_MAX = 10_000  # Go's own bound
READ_DEPTH = 16  # levels, more than any shape has
DIGITS_MAX = 20  # more than any int64 has, and int() refuses thousands

_SURROGATE = re.compile("[\ud800-\udfff]")
_NESTING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
_WHOLE = re.compile(r"-?[0-9]+")
_BYTE = re.compile(r"[0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_AS_ASCII = {0x212A: "k", 0x17F: "s"}  # the two letters that fold into ASCII: the Kelvin sign and the long s


class GoDecodeError(ValueError):
    """Go's decoder ends with an error."""


class Basic(Enum):
    TEXT = auto()
    WHOLE = auto()  # int64
    TEXTS = auto()  # map[string]string
    OCTETS = auto()  # []byte, in base64


class Struct:
    """`fields` by their names in JSON."""

    def __init__(self, fields: Mapping[str, "Shape"]) -> None:
        self.fields = fields
        self.names = {name.lower(): name for name in fields}


@dataclass(frozen=True, slots=True)
class Slice:
    of: "Shape"


@dataclass(frozen=True, slots=True)
class Pointer:
    to: Struct


Shape: TypeAlias = Basic | Struct | Slice | Pointer


class Number:
    """As it is written: nobody asks for one that is no int64."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Pairs(list[tuple[str, Any]]):
    """An object, with keys that come twice."""


class _GoSlice(list[Any]):
    """A list, of which the first `used` count. An earlier, longer one left the rest: Go reads the next one over it."""

    used = 0


def decode(body: bytes, shape: Struct) -> dict[str, Any]:
    """Return the fields of `shape` that the body has, by their names. Raise GoDecodeError."""
    found: dict[str, Any] = _finished(_decode_over(shape, None, _parse(body, _Pairs)))
    return found


def decode_any(body: bytes) -> Any:
    """Read the same without a shape: objects as dicts, numbers as Number. Raise GoDecodeError."""
    return _parse(body, dict)


def _parse(body: bytes, pairs: type) -> Any:
    reader = json.JSONDecoder(
        object_pairs_hook=pairs, parse_int=Number, parse_float=Number, parse_constant=_no_constant
    )
    try:
        return reader.decode(_cut_below_read_depth(_decoded(body)))
    except (json.JSONDecodeError, RecursionError) as error:
        raise GoDecodeError(str(error)) from error


def _decoded(body: bytes) -> str:
    """Each byte that does not fit becomes one U+FFFD; Python's own way makes one of several."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _SURROGATE.sub("\ufffd", body.decode(errors="surrogateescape"))


def _cut_below_read_depth(text: str) -> str:
    """Make null of what lies deeper than anybody looks: Python's own reader ends at a thousand levels."""
    depth, kept, begin = 0, [], 0
    for token in _NESTING.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
                if depth == READ_DEPTH:
                    kept.append(text[begin : token.start()] + "null")
                if depth > DEPTH_MAX:
                    raise GoDecodeError("nested too deep")
            case "]" | "}":
                if depth == READ_DEPTH:
                    begin = token.end()
                depth -= 1
            case '"':
                raise GoDecodeError("a string without an end")
    if depth >= READ_DEPTH:
        raise GoDecodeError("not closed")
    return "".join([*kept, text[begin:]])


def _no_constant(word: str) -> Any:
    raise GoDecodeError(f"{word} is no JSON")


def _decode_over(shape: Shape, old: Any, value: Any) -> Any:
    """`value` read over `old`, in place. null empties what can be nil; text, numbers and structs stay as they were."""
    match shape, value:
        case Struct(), None:
            return {} if old is None else old
        case ((Basic.TEXT | Basic.WHOLE), None):
            return old
        case _, None:
            return None
        case Struct(), _Pairs():
            return _fields(shape, {} if old is None else old, value)
        case Slice(of), list() if not isinstance(value, _Pairs):
            return _elements(of, old, value)
        case Pointer(to), _:
            return _decode_over(to, old, value)
    return _basic(shape, old, value)


def _fields(shape: Struct, found: dict[str, Any], pairs: _Pairs) -> dict[str, Any]:
    for key, value in pairs:
        if name := shape.names.get(_fold_case(key)):
            found[name] = _decode_over(shape.fields[name], found.get(name), value)
    return found


def _elements(of: Shape, old: _GoSlice | None, values: list[Any]) -> _GoSlice:
    found = old if old is not None and values else _GoSlice()
    for at, value in enumerate(values):
        if at < len(found):
            found[at] = _decode_over(of, found[at], value)
        else:
            found.append(_decode_over(of, None, value))
    found.used = len(values)
    return found


def _basic(shape: Shape, old: Any, value: Any) -> Any:
    match shape, value:
        case Basic.TEXT, str():
            return _text(value)
        case Basic.WHOLE, Number():
            if _WHOLE.fullmatch(value.text) and len(value.text) <= DIGITS_MAX:
                number = int(value.text)
                if -(2**63) <= number < 2**63:
                    return number
        case Basic.TEXTS, _Pairs():
            found = {} if old is None else old
            found.update((_text(key), _decode_over(Basic.TEXT, "", each)) for key, each in value)
            return found
        case Basic.OCTETS, str() if _BASE64.fullmatch(value.replace("\r", "").replace("\n", "")):
            return None
        case Basic.OCTETS, list() if not isinstance(value, _Pairs) and all(map(_is_byte, value)):
            return None
    raise GoDecodeError("a value of another kind than it should be")


def _finished(value: Any) -> Any:
    if isinstance(value, _GoSlice):
        return [_finished(each) for each in value[: value.used]]
    if isinstance(value, dict):
        return {name: _finished(each) for name, each in value.items()}
    return value


def _is_byte(value: Any) -> bool:
    return value is None or (isinstance(value, Number) and _BYTE.fullmatch(value.text) is not None)


def _fold_case(key: str) -> str:
    plain_key = key.translate(_AS_ASCII)
    return plain_key.lower() if plain_key.isascii() else key


def _text(value: str) -> str:
    """Return it with U+FFFD for a lone surrogate, which only an escape can write."""
    return _SURROGATE.sub("\ufffd", value)
