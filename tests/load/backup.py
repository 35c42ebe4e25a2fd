"""What a backup costs: tokens beside it, its memory and its time: `make bench T=backup`."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.load import installation, panel
from tests.load.summary import Row
from tests.parts import postgres

HERE = Path(__file__).parent
TURNS, SECONDS = 3, 15
CONNECTIONS, EVERY = 8, 0.1
MB = 1_000_000
HEAD = f"""\
BACKUP. Tokens at {CONNECTIONS / EVERY:.0f} a second from `make run` on SQLite with 1,000,000 entries of the ledger,
in turns alone and while one backup after another is made: p99, the least of {TURNS} turns. Then a backup and a
restore of that many rows, and a backup of few."""


@dataclass(frozen=True)
class Run:
    """Seconds, and the most memory that the process had, in bytes."""

    seconds: float
    memory: int


def measure(folder: Path) -> list[Row]:
    print(HEAD, flush=True)
    rows = [_tokens_beside(folder), *_alone(folder)]
    print()
    return rows


def _tokens_beside(folder: Path) -> Row:
    with panel.running(panel.ROOT, folder) as running:
        env = os.environ | {"DATA_DIR": str(running.data), "LOG_LEVEL": "ERROR"}
        installation.manage(
            env, "shell", "--verbosity", "0", "--command", (HERE / "ledger_world.py").read_text()
        )
        quiet, beside = [], []
        for _turn in range(TURNS):
            quiet.append(_p99(folder, running))
            backing_up = _backups(env, folder)
            beside.append(_p99(folder, running))
            backing_up.terminate()
            backing_up.wait()
    alone, along = min(quiet), min(beside)
    print(f"  a token’s p99, alone {alone:.1f} ms, beside backups {along:.1f} ms")
    return Row("a token’s p99 beside a backup", f"{along:.1f} ms", ratios={"÷ alone": along / alone})


def _p99(folder: Path, running: panel.Panel) -> float:
    ask = {
        "name": "token", "port": running.token_port, "requests": [running.token_request],
        "connections": CONNECTIONS, "every": EVERY,
    }  # fmt: skip
    spec = folder / "paced.json"
    spec.write_text(json.dumps({"seconds": SECONDS, "precise": True, "asks": [ask]}))
    words = [sys.executable, "-m", "tests.load.paced", str(spec)]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return float(json.loads(said)["token"]["p99"])


def _backups(env: dict[str, str], folder: Path) -> "subprocess.Popen[bytes]":
    """Start one after another, until it is told to end."""
    script = 'while :; do "$0" manage.py backup "$1" >/dev/null & wait $!; done'
    words = ["bash", "-c", f"trap 'kill $!; exit' TERM; {script}", sys.executable, str(folder / "beside.tar")]
    return subprocess.Popen(words, env=env)


def _alone(folder: Path) -> list[Row]:
    rows = []
    with postgres.running() as address:
        for name, url in (("SQLite", ""), ("PostgreSQL", address)):
            env = installation.environment(folder / name, url)
            installation.manage(env, "migrate", "--verbosity", "0")
            few = _run(env, "backup", str(folder / "few.tar"))
            world = (HERE / "ledger_world.py").read_text()
            installation.manage(env, "shell", "--verbosity", "0", "--command", world)
            file = folder / f"{name}.tar"
            much = _run(env, "backup", str(file))
            size = file.stat().st_size / MB
            print(
                f"  {name}: 1,000,000 rows, {size:,.0f} MB in {much.seconds:.0f} s, {much.memory / MB:.0f} MB of memory"
            )
            rows.append(
                Row(
                    f"memory of a backup of 1,000,000 rows, {name}",
                    f"{much.memory / MB:.0f} MB, {much.seconds:.0f} s",
                    ratios={"÷ few rows": much.memory / few.memory},
                )
            )
        rows.append(_restored(folder))
    return rows


def _restored(folder: Path) -> Row:
    """On SQLite, from PostgreSQL."""
    env = os.environ | {
        "DATA_DIR": str(folder / "restored"),
        "SECRETS_DIR": str(folder / "PostgreSQL" / "secrets"),
    }
    (folder / "restored").mkdir()
    done = _run(env, "restore", str(folder / "PostgreSQL.tar"))
    print(f"  restored on SQLite in {done.seconds:.0f} s, {done.memory / MB:.0f} MB of memory")
    return Row("a restore of 1,000,000 rows on SQLite", f"{done.seconds:.0f} s, {done.memory / MB:.0f} MB")


def _run(env: dict[str, str], *words: str) -> Run:
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "manage.py", *words], env=env, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{words[0]} failed")
    return Run(time.monotonic() - began, used.ru_maxrss * 1024)
