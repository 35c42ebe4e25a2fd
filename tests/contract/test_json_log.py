"""LOG_FORMAT=json: each line of a server or a worker is an object; the id in an answer finds those of its request."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.parts import install, processes, team

pytestmark = pytest.mark.contract


def installed(folder: Path) -> dict[str, str]:
    """Return the environment of a new installation."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    env = kept | {"DATA_DIR": str(folder / "data"), "LOG_FORMAT": "json", "TOKEN_SERVICE": "registry"}
    team.install(env)
    return env


@pytest.mark.parametrize(("server", "path"), [("tokens", "/auth/token?service={service}&scope=repository:a/b:pull"),
                                              ("tokens", "/readyz"), ("web", "/readyz")])  # fmt: skip
def test_the_lines_of_a_request(server: str, path: str, tmp_path: Path) -> None:
    env = installed(tmp_path)
    (tmp_path / "data" / "secrets" / "leaf.pem").unlink()  # no token can be signed, and the log says so
    port, log = processes.free_port(), tmp_path / "server.log"
    command = [sys.executable, "-m", "manager.server", server, "--port", str(port), "--workers", "2"]
    running = processes.start(server, command, log=log, env=env)
    running.wait_until(lambda: processes.tcp_answers(port), "answer")
    url = f"http://127.0.0.1:{port}{path.format(service='registry')}"
    answer = requests.get(url, headers={"X-Request-ID": "from-the-proxy-7"}, timeout=120)
    assert answer.status_code == 503
    assert answer.headers["X-Request-ID"] == "from-the-proxy-7"
    made = requests.get(url, timeout=120).headers["X-Request-ID"]
    running.popen.send_signal(signal.SIGHUP)  # Granian's own lines, too
    running.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [line["message"] for line in lines if line.get("request_id") == "from-the-proxy-7"]
    assert any("leaf.pem" in message for message in told)
    assert any(line.get("request_id") == made for line in lines)
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))


def test_the_lines_of_a_worker_of_which_a_process_is_killed(tmp_path: Path) -> None:
    env, log = installed(tmp_path), tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "--app", "manager", "--quiet", "worker", "--concurrency", "1",
               "--loglevel", "INFO", "--without-gossip", "--without-mingle"]  # fmt: skip
    running = processes.start("worker", command, log=log, env=env)
    running.wait_until(lambda: " ready." in log.read_text(), "say ready")
    pid = running.popen.pid
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    running.wait_until(lambda: "SIGKILL" in log.read_text(), "line about it")
    running.stop()
    lines = [line for line in log.read_text().splitlines() if line]
    assert [line for line in lines if not line.startswith("{")] in (
        [],
        ["worker: Warm shutdown (MainProcess)"],
    )
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert any("SIGKILL" in line["message"] for line in told)


@pytest.mark.parametrize("server", ["web", "tokens"])
def test_a_server_that_refuses_to_start_says_so_in_a_line(server: str, tmp_path: Path) -> None:
    env = installed(tmp_path) | {"LOG_LEVEL": "loud"}
    command = [sys.executable, "-m", "manager.server", server, "--port", str(processes.free_port())]
    done = subprocess.run(command, env=env, cwd=install.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    told = [(line["level"], line["message"]) for line in lines if "exception" not in line]
    assert told[0] == ("CRITICAL", "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR.")
    assert len(lines) == 2  # the other: that a process ended


@pytest.mark.parametrize("kind", ["worker", "beat"])
def test_celery_refuses_to_start_with_the_same_sentence(kind: str, tmp_path: Path) -> None:
    env = installed(tmp_path) | {"LOG_LEVEL": "loud"}
    command = [sys.executable, "-m", "celery", "--app", "manager", "--quiet", kind]
    done = subprocess.run(command, env=env, cwd=install.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout + done.stderr == "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR.\n"
