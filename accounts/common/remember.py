"""Remembers what was made of short texts, which most are. PURE."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

Text = TypeVar("Text", str, bytes)
Made = TypeVar("Made")


def remember_short(
    longest: int, most: int = 1024
) -> Callable[[Callable[[Text], Made]], Callable[[Text], Made]]:
    """Decorate a pure function of one text. One longer than `longest` costs time each time, and no memory."""

    def decorate(function: Callable[[Text], Made]) -> Callable[[Text], Made]:
        remembered = lru_cache(maxsize=most)(function)

        @wraps(function)
        def short_or_not(text: Text) -> Made:
            return remembered(text) if len(text) <= longest else function(text)

        return short_or_not

    return decorate
