"""What each part of `make run` does first in its process. Also a program, for what is started beside threads.

A process with threads must not be forked: so the program is run, and becomes what is named to it.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # of Linux's prctl


def leave(parent: int, name: str) -> None:
    """Be in a group of its own, which Ctrl-C does not reach; on Linux under a name, and end with the parent."""
    os.setpgid(0, 0)
    with suppress(AttributeError):
        prctl = ctypes.CDLL(None).prctl
        prctl(PR_SET_NAME, name.encode())
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it has ended meanwhile
        sys.exit(1)


def become(argv: list[str], env: dict[str, str]) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it; other programs end by it
    os.execvpe(argv[0], argv, env)  # noqa: S606 (our own commands)


if __name__ == "__main__":
    leave(int(sys.argv[1]), sys.argv[2])
    become(sys.argv[3:], dict(os.environ))
