"""Signals to a server that has not answered anybody yet: it ends at once, because nobody can be cut off.

Left alone some would be lost. SIGTERM does not end the first process of a container until that has a handler. A worker
that loads the application has inherited its parent's handler, which sets a flag that the worker never reads.
"""

import os
import signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def hold() -> None:
    """Keep them until `release`. For this thread and those that it starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def release() -> None:
    """Let them come, also those that were kept."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def end_forks() -> None:
    """Have SIGTERM end each process that is forked from now on, from its first moment until it sets a handler.

    Ctrl-C reaches the parent too, which ends its workers by SIGTERM.
    """
    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=_end_by_default)


def _end_by_default() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    release()
