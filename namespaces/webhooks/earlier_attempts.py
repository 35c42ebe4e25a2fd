"""How the attempts before the last one went, as a delivery keeps them: a few, in its own row. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from accounts.common.lazy_text import from_json, to_json

KEPT: Final = 10
ANSWER_MAX: Final = 1024  # characters


@dataclass(frozen=True, slots=True)
class Attempt:
    """`status`: of the answer, None for none, and `problem` (a LazyText) says why.

    Neither of them: the next attempt began before this one's end was written down. `answer`: its beginning.
    """

    tried_at: datetime
    status: int | None
    problem: str
    milliseconds: int | None
    answer: str


def and_another(kept: Sequence[Any], attempt: Attempt) -> list[Any]:
    """Return what is kept from then on."""
    another = {
        "at": attempt.tried_at.isoformat(),
        "status": attempt.status,
        "problem": to_json(attempt.problem),
        "ms": attempt.milliseconds,
        "answer": attempt.answer[:ANSWER_MAX],
    }
    return [*kept, another][-KEPT:]


def read(kept: Sequence[Any]) -> list[Attempt]:
    """Return them, the oldest first."""
    return [
        Attempt(
            datetime.fromisoformat(each["at"]),
            each["status"],
            from_json(each["problem"]),
            each["ms"],
            each["answer"],
        )
        for each in kept
    ]
