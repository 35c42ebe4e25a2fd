"""Cuts long lists into parts that one statement may name. PURE."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH = 500
Thing = TypeVar("Thing")


def batches(things: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    return (things[start : start + BATCH] for start in range(0, len(things), BATCH))
