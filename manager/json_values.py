"""Values of the cache as JSON: who can write into Redis can put data there, and no code, as a pickle would be."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

_PLAIN = {type(None), bool, int, float, str}


class Unreadable(ValueError):
    """These bytes are none of ours, or no longer."""


class JsonSerializer:
    """The serializer of Django's Redis client. It reads back what it was given, tuples and moments too.

    A value of any other type is a TypeError, and not something that comes back as something else.
    """

    def dumps(self, value: Any) -> int | bytes:
        if type(value) is int:  # as it is: Redis counts with it
            return value
        return json.dumps(_encoded(value)).encode()

    def loads(self, data: bytes) -> Any:
        try:
            return _decoded(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise Unreadable(str(error)) from error


def _encoded(value: Any) -> Any:
    """Return what stands for it in JSON: no object stands for a dict of ours, its one key says what it is."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_encoded(each) for each in value]
    if kind is tuple:
        return {"tuple": [_encoded(each) for each in value]}
    if kind is dict:
        return {"dict": [[_encoded(key), _encoded(each)] for key, each in value.items()]}
    if kind in (datetime, date):
        return {kind.__name__: value.isoformat()}
    if kind is timedelta:
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    raise TypeError(f"{kind.__name__} is nothing that the cache keeps.")


def _decoded(encoded: Any) -> Any:
    if isinstance(encoded, list):
        return [_decoded(each) for each in encoded]
    if not isinstance(encoded, dict):
        return encoded
    ((kind, value),) = encoded.items()
    return _KINDS[kind](value)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda value: tuple(_decoded(each) for each in value),
    "dict": lambda value: {_decoded(key): _decoded(each) for key, each in value},
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "timedelta": lambda value: timedelta(*value),
}
