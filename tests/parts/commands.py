"""`manage.py` in forks of one process that has its libraries imported: a start costs half of what it would."""

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache

from tests.parts.processes import PartError

PARENT = """
import json, os, runpy, sys
import celery.app.base, celery.utils.threads, cryptography.x509, environs, jwt, psycopg, requests, yaml
import django.contrib.staticfiles.storage, django.core.management.commands.migrate, django.db.models, django.forms
import django.template.loader, django.urls, django.views, django.core.management.commands.shell
sys.path.insert(0, "")
def content(file):
    with open(file, "rb") as opened:
        opened.seek(0)
        return opened.read().decode(errors="replace")
for line in sys.stdin.buffer:
    words, env = json.loads(line)
    files = [os.memfd_create(name) for name in ("stdout", "stderr")]
    if not os.fork():
        break
    answer = [os.waitstatus_to_exitcode(os.wait()[1]), *map(content, files)]
    sys.stdout.write(json.dumps(answer) + "\\n")
    sys.stdout.flush()
else:
    sys.exit()
for number, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files]):
    os.dup2(file, number)
os.environ.clear()
os.environ.update(env)
sys.argv = ["manage.py", *words]
runpy.run_path("manage.py", run_name="__main__")
"""


def run(env: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` of `manage.py` with these words answers."""
    parent = _parent()
    if _for_python(env) == _for_python(os.environ) and parent.free.acquire(blocking=False):
        try:
            return parent.run(env, words)
        finally:
            parent.free.release()
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, env=env, check=False, capture_output=True, text=True)


def _for_python(env: Mapping[str, str]) -> dict[str, str]:
    """What Python and its libraries heed before they run anything."""
    return {name: env[name] for name in env if name.startswith(("PYTHON", "LANG", "LC_", "LD_", "OPENSSL_"))}


class Parent:
    """Ends when the process that made it does. `free`: nothing runs as a fork of it."""

    def __init__(self) -> None:
        self.free = threading.Lock()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=pipe, stdout=pipe)
        atexit.register(self._process.communicate)

    def run(self, env: Mapping[str, str], words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([words, dict(env)]).encode() + b"\n")
        self._process.stdin.flush()
        if not (answer := self._process.stdout.readline()):
            raise PartError("The process that forks ended.")
        return subprocess.CompletedProcess(["manage.py", *words], *json.loads(answer))


@cache
def _parent() -> Parent:
    return Parent()
