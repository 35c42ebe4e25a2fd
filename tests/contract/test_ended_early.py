"""A signal to a server, or to `make run`, that has not answered anybody yet: it ends, and soon."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from tests.parts import processes

pytestmark = pytest.mark.contract
LOADS = """
import os, threading
from pathlib import Path
Path(f"{os.getpid()}.loading").touch()
threading.Event().wait()
"""
# What has to be killed is, after the test has failed.
SERVE = """
from manager.server.serving import serve
serve("loads:application", "127.0.0.1", {port}, 2, kill_seconds=2 * {patience})
"""
# What a signal interrupts: the import of one module of many.
INTERRUPTED = """
import os, runpy, signal, sys
class Interrupting:
    def find_spec(name, path, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Interrupting)
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started the tests beside others
"""
FORK = """
import os, signal
from manager.server import early_signals
signal.signal(signal.SIGTERM, lambda *_: None)
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
early_signals.end_forks()
child = os.fork()
if not child:
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "DATA_DIR": str(folder / "data"),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(settings.BASE_DIR),
        "DJANGO_SETTINGS_MODULE": "manager.settings",
    }


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environment(folder),
        check=False,
        capture_output=True,
        text=True,
        timeout=processes.PATIENCE,
    )


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to the server", "to its workers too"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_that_load_the_application_end_at_once(
    send: Callable[[int, int], None], number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "loads.py").write_text(LOADS)
    code = SERVE.format(port=processes.free_port(), patience=processes.PATIENCE)
    command = [sys.executable, "-c", code]
    server = processes.start("server", command, log=tmp_path / "log", env=environment(tmp_path), cwd=tmp_path)
    server.wait_until(lambda: len([*tmp_path.glob("*.loading")]) == 2, "loading workers")
    try:
        send(server.popen.pid, number)
        assert server.popen.wait(processes.PATIENCE) == 0, server.log_end()
    finally:
        server.stop(seconds=0)
    assert not [*tmp_path.glob("registry-manager-counts-*")]


def test_a_fork_is_ended_in_its_first_moment() -> None:
    """Its parent is not, and blocks nothing afterwards."""
    assert run(FORK, settings.BASE_DIR).stdout == f"{-signal.SIGTERM} set()\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_server_that_loads_itself_ends_as_any_other(name: str, tmp_path: Path) -> None:
    """In a container it would not be ended by SIGTERM at all, as the first process."""
    code = INTERRUPTED.format(module="granian", name=name)
    port = processes.free_port()
    code += f"sys.argv[1:] = ['tokens', '--port', '{port}']\nrunpy.run_module('manager.server', run_name='__main__')"
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "module", "code"),
    [
        ("run", "manager.standalone.run", -signal.SIGINT),
        ("migrate", "django.core.management.commands.migrate", 128 + signal.SIGINT),
    ],
)
def test_ctrl_c_at_a_command_leaves_no_traceback(
    command: str, module: str, code: int, tmp_path: Path
) -> None:
    interrupted = INTERRUPTED.format(module=module, name="SIGINT")
    call = f"sys.argv = ['manage.py', {command!r}]\nrunpy.run_path('manage.py', run_name='__main__')"
    done = run(interrupted + call, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


DOWNLOAD = """
import django, os, signal, tempfile
django.setup()
from manager.standalone import registry
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.environ["PATH"] = f"{tempfile.gettempdir()}:{os.environ['PATH']}"
try:
    registry._from_debian()
except KeyboardInterrupt:
    print(signal.getsignal(signal.SIGINT) is signal.SIG_DFL)
"""


def test_ctrl_c_while_the_registry_is_downloaded_leaves_no_folder(tmp_path: Path) -> None:
    for name in ("apt-get", "dpkg-deb"):
        (tmp_path / name).write_text("#!/bin/sh\nkill -s INT $PPID\n")
        (tmp_path / name).chmod(0o700)
    before = {*tmp_path.iterdir()}
    done = run(DOWNLOAD, tmp_path)
    assert done.stdout == "True\n", done.stderr
    assert {*tmp_path.iterdir()} - before <= {tmp_path / "data"}
