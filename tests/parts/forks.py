"""Code run in processes of an installation, each of its own, without the second that each would need to start.

One process that has everything imported, and no connection open, waits; each piece of code is a fork of it.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.parts.processes import PartError

PARENT = """
import json, os, sys, traceback
from django.db import connections
import registry_sync.tasks  # and with it all that a worker imports
connections.close_all()
def child(code, said, wrong):
    for number, path in enumerate((os.devnull, said, wrong)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    ended = 1
    try:
        exec(code, {"__name__": "__main__"})
        ended = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended)
for line in sys.stdin.buffer:
    pid = os.fork()
    if not pid:
        child(*json.loads(line))
    os.write(1, b"%d\\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


class Forks:
    """`folder` is for what the processes print. Ends with `stop()`, or when the test run does."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", PARENT]
        pipe = subprocess.PIPE
        self._parent = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe)
        self._files = folder / "said", folder / "wrong"

    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` of `manage.py shell` answers."""
        for path in self._files:
            path.write_text("")
        assert self._parent.stdin
        assert self._parent.stdout
        assert self._parent.stderr
        self._parent.stdin.write(json.dumps([code, *map(str, self._files)]).encode() + b"\n")
        self._parent.stdin.flush()
        if not (ended := self._parent.stdout.readline()):
            raise PartError(f"The process that forks ended.\n{self._parent.stderr.read().decode()}")
        said, wrong = (path.read_text() for path in self._files)
        return subprocess.CompletedProcess([code], int(ended), said, wrong)

    def stop(self) -> None:
        self._parent.communicate()
