"""How long the client waits for the registry. PURE: all in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Time-outs of one request, and the pauses between requests."""

    connect: float = 3
    read: float = 10  # between two parts of an answer
    total: float = 30  # for a whole answer: one that drips for ever is none
    jitter: float = 0.2  # before another try, doubled with each
    rest: float = 0.3  # after no answer
    rewrite: float = (
        2  # before a tag that got an error is asked for once more: it may have been written just then
    )
    beat: float = 10  # between calls of `alive`
    poll: float = 0.1  # between two looks at how far the registry is with its events


USUAL = Timing()
