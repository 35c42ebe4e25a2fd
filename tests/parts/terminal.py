"""A terminal for a client that asks for a password: without one it refuses to ask."""

import codecs
import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence

from tests.parts import processes


def in_terminal(command: Sequence[str], *, env: Mapping[str, str], typed: str) -> str:
    """Run the command until it ends, type `typed` when it asks, and return what it printed. Failing is an error."""
    ours, theirs = pty.openpty()
    try:
        running = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(env), start_new_session=True
        )
    finally:
        os.close(theirs)
    # A read may end in the middle of a letter.
    decode = codecs.getincrementaldecoder("utf-8")().decode
    printed, asked, patience = "", False, time.monotonic() + processes.PATIENCE
    while time.monotonic() < patience:
        try:
            if not select.select([ours], [], [], 0.1)[0]:
                continue
            printed += decode(os.read(ours, 4096))
        except OSError:  # Linux, when nobody holds the other end any more
            break
        if not asked and "assword:" in printed:
            os.write(ours, typed.encode())
            asked = True
    os.close(ours)
    code = running.wait(timeout=processes.PATIENCE)
    if code:
        raise AssertionError(f"{' '.join(command)}: {code}\n{printed}")
    return printed
