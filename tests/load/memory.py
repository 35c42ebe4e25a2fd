"""What `make run` takes of a small machine: time to start, memory, and CPU at rest. `BASE=<revision>` measures that."""

import os
import re
import statistics
import subprocess
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.load import panel
from tests.load.summary import Row
from tests.load.usage import command, cpu_of_each, proportional_memory
from tests.parts import install, processes

STARTS, PAGES, TOKENS = 3, 100, 1_000
SETTLED = 30  # seconds after ready
REST = 60  # seconds during which nobody asks for anything
MUCH = 10
MB = 1_000_000
HEAD = f"""\
MEMORY of `make run` on SQLite with the demo's 170 tags, all processes together, the registry's too. The second start
on a data folder: until it says ready, then the first page and one more. {SETTLED} s after ready, {PAGES} pages and
{TOKENS:,} tokens: proportional memory. Then CPU, while nobody asks for anything."""


@dataclass(frozen=True)
class Standalone:
    """`manage.py run` of a tree, over one data folder."""

    tree: Path
    env: Mapping[str, str]
    log: Path

    def start(self) -> tuple[processes.Running, float]:
        """Return it once it is ready, and the seconds that this took."""
        self.log.write_text("")
        began = time.monotonic()
        words = [panel.python(self.tree), "manage.py", "run"]
        running = processes.start("make run", words, log=self.log, env=self.env, cwd=self.tree)
        running.wait_until(lambda: "ready:" in self.log.read_text(), "say ready", seconds=90)
        return running, time.monotonic() - began

    def python(self, *words: str) -> str:
        done = subprocess.run(
            [panel.python(self.tree), *words],
            env=self.env,
            cwd=self.tree,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def get(self, path: str, cookie: str) -> requests.Response:
        url = f"http://127.0.0.1:{self.env['PORT']}{path}"
        name, value = cookie.split("=", 1)
        answer = requests.get(url, cookies={name: value}, timeout=60)
        answer.raise_for_status()
        return answer


def measure(folder: Path) -> list[Row]:
    print(HEAD)
    revision = os.environ.get("BASE", "")
    with panel.checked_out(revision, folder / "tree") if revision else nullcontext(panel.ROOT) as tree:
        rows = of_tree(tree, folder)
    print()
    return rows


def of_tree(tree: Path, folder: Path) -> list[Row]:
    made = Standalone(tree, environment(folder), folder / "run.log")
    running, _seconds = made.start()
    try:
        made.python("manage.py", "demo")
    finally:
        running.stop()
    cookie, username, password = people(made)
    for _start in range(STARTS - 1):
        starting(made, cookie)[0].stop()
    running, row = starting(made, cookie)
    try:
        ready = time.monotonic()
        pages(made, cookie)
        tokens(made, username, password)
        time.sleep(max(0.0, ready + SETTLED - time.monotonic()))
        return [row, at_rest(running.popen.pid)]
    finally:
        running.stop()


def measure_growth(folder: Path) -> list[Row]:
    """Whether memory grows with use: after some use, and after ten times as much."""
    print(f"GROWTH of `make run` after {PAGES} pages and {TOKENS:,} tokens, and after {MUCH} times as many")
    made = Standalone(panel.ROOT, environment(folder), folder / "run.log")
    running, _seconds = made.start()
    try:
        made.python("manage.py", "demo")
        cookie, username, password = people(made)
        sizes = []
        for times in (1, MUCH):
            for _time in range(times):
                pages(made, cookie, quiet=True)
                tokens(made, username, password)
            sizes.append(sum(map(proportional_memory, cpu_of_each(running.popen.pid))) / MB)
            print(f"  after {times * PAGES:>5,} pages and {times * TOKENS:>6,} tokens{sizes[-1]:>10.1f} MB")
    finally:
        running.stop()
    print()
    return [
        Row(
            f"memory after {MUCH} times the use",
            f"{sizes[1]:.0f} MB",
            ratios={"÷ before": sizes[1] / sizes[0]},
        )
    ]


def people(made: Standalone) -> tuple[str, str, str]:
    """Return a person's cookie, and a user's name and password."""
    username, password, _api = made.python("-c", panel.WORLD).split()
    session = panel.SESSION.replace("ada@example.com", "demo@example.com")
    said = made.python("manage.py", "shell", "--verbosity", "0", "--command", session)
    return said.split("MADE ")[1].strip(), username, password


def environment(folder: Path) -> dict[str, str]:
    """Settings as they come; LOG_LEVEL alone is ours."""
    registry = install.built("registry 3.1")
    path = f"{registry.parent}{os.pathsep}{os.environ['PATH']}" if registry else os.environ["PATH"]
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    return kept | processes.ports() | {"DATA_DIR": str(folder / "data"), "LOG_LEVEL": "ERROR", "PATH": path}


def starting(made: Standalone, cookie: str) -> tuple[processes.Running, Row]:
    running, seconds = made.start()
    first, second = (page_seconds(made, cookie) for _page in range(2))
    print(f"ready after {seconds:.1f} s, first page {first * 1000:,.0f} ms, one more {second * 1000:,.0f} ms")
    return running, Row("second start and first page", f"{seconds:.1f} s, then {first * 1000:,.0f} ms")


def page_seconds(made: Standalone, cookie: str) -> float:
    began = time.monotonic()
    made.get("/", cookie)
    return time.monotonic() - began


def pages(made: Standalone, cookie: str, *, quiet: bool = False) -> None:
    """The pages of the account, as one leads to another."""
    waiting, seen, times = ["/"], set[str](), list[float]()
    while waiting and len(times) < PAGES:
        path = waiting.pop(0)
        began = time.monotonic()
        answer = made.get(path, cookie)
        times.append(time.monotonic() - began)
        links = re.findall(r'href="(/a/[^"#?]+)"', answer.text)
        waiting += [link for link in dict.fromkeys(links) if link not in seen]
        seen.update(links)
    if not quiet:
        print(f"{len(times)} pages, median {statistics.median(times) * 1000:,.0f} ms")


def tokens(made: Standalone, username: str, password: str) -> None:
    query = f"service=localhost:{made.env['REGISTRY_PORT']}&scope=repository:team/app:pull"
    url = f"http://127.0.0.1:{made.env['TOKEN_PORT']}/auth/token?{query}"
    with requests.Session() as session:
        session.auth = username, password
        for _token in range(TOKENS):
            session.get(url, timeout=60).raise_for_status()


def at_rest(root: int) -> Row:
    before = cpu_of_each(root)
    memory = {pid: proportional_memory(pid) for pid in before}
    began = time.monotonic()
    time.sleep(REST)
    after, seconds = cpu_of_each(root), time.monotonic() - began
    shares = {pid: (after.get(pid, used) - used) / seconds for pid, used in before.items()}
    print(f"{'':<64}{'memory':>10}{'CPU':>10}")
    for pid, taken in memory.items():
        print(f"{command(pid)[:62]:<64}{taken / MB:>7.1f} MB{shares[pid]:>10.2%}")
    size, share = sum(memory.values()) / MB, sum(shares.values())
    print(f"{'all':<64}{size:>7.1f} MB{share:>10.2%}")
    return Row("make run at rest", f"{size:.0f} MB, {share:.2%} of a core")
