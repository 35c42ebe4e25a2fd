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
        return json.dumps(_said(value)).encode()

    def loads(self, data: bytes) -> Any:
        try:
            return _meant(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise Unreadable(str(error)) from error


def _said(value: Any) -> Any:
    """Return what stands for it in JSON: no object stands for a dict of ours, its one key says what it is."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_said(each) for each in value]
    if kind is tuple:
        return {"tuple": [_said(each) for each in value]}
    if kind is dict:
        return {"dict": [[_said(key), _said(each)] for key, each in value.items()]}
    if kind in (datetime, date):
        return {kind.__name__: value.isoformat()}
    if kind is timedelta:
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    raise TypeError(f"{kind.__name__} is nothing that the cache keeps.")


def _meant(read: Any) -> Any:
    if isinstance(read, list):
        return [_meant(each) for each in read]
    if not isinstance(read, dict):
        return read
    ((kind, held),) = read.items()
    return _KINDS[kind](held)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda held: tuple(_meant(each) for each in held),
    "dict": lambda held: {_meant(key): _meant(each) for key, each in held},
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "timedelta": lambda held: timedelta(*held),
}
