"""What metrics add to a token, in process: `make bench T=metrics`. Bound: 2 µs (docs/adr/0045)."""

import subprocess
from pathlib import Path

from tests.load import tokens
from tests.load.panel import ROOT, python
from tests.load.summary import Row

HEAD = """\
METRICS in process, CPU of the calling thread: what counting a token and its time adds, the least of 200 batches;
and the whole token of one scope, for a user with 200 grants, on SQLite. A scrape is what a GET of /metrics takes."""
HERE = Path(__file__).parent


def measure(folder: Path) -> list[Row]:
    print(HEAD)
    env = tokens.environment(ROOT, folder / "panel", "")
    tokens.manage(ROOT, env, "migrate", "--verbosity", "0")
    world = (HERE / "world.py").read_text()
    login = tokens.Login(
        *tokens.manage(ROOT, env, "shell", "--verbosity", "0", "--command", world).split()[-2:]
    )
    program = (HERE / "metrics_asker.py").read_text()
    command = [python(ROOT), "manage.py", "shell", "--verbosity", "0", "--command", program]
    given = f"{login.query(1)}\n{login.authorization}\n"
    done = subprocess.run(command, cwd=ROOT, env=env, input=given, capture_output=True, text=True, check=True)
    added, token, scrape = map(float, done.stdout.split()[-3:])
    print(f"added {added * 1e6:.2f} µs; a token {token * 1e6:,.0f} µs; a scrape {scrape * 1e3:.1f} ms\n")
    ratios = {"÷ without": (token + added) / token}
    return [Row("token, with metrics", said=f"{added * 1e6:.2f} µs more", ratios=ratios)]
