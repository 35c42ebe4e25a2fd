"""Cuts long lists into parts that one statement may name. PURE."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH = 500
Thing = TypeVar("Thing")


def batches(things: Sequence[Thing], most: int = BATCH) -> Iterator[Sequence[Thing]]:
    return (things[start : start + most] for start in range(0, len(things), most))
