"""Tokens and pages while something else weighs on the panel: `make bench T=doors`.

BASELINE=<revision>    measure that one first, beside the working tree
ROWS=idle,a,d          only these rows
ROW_SECONDS=15 EVENT_SECONDS=60
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.load import loads
from tests.load.panel import MANY, ROOT, Panel, checked_out, running
from tests.load.summary import Row
from tests.load.usage import busy
from tests.parts import processes

BOUND = 3
SETTLE = 2  # seconds until a load is what it is to be
ROW_SECONDS = int(os.environ.get("ROW_SECONDS", "15"))
EVENT_SECONDS = int(os.environ.get("EVENT_SECONDS", "60"))
HEAD = f"""\
DOORS of {{name}} ({{revision}}), one `make run` on SQLite; tokens {{where}}
{{machine}}
Panel, load and clients share the processors: read the ratios. Milliseconds. Tokens are asked for 200 times a second on
4 connections, and so is a bare signing server of its own ({{bare}}) at the same time; an ordinary page 10 times.
An answer is counted from when its question was due; ≥: it never came. Ratio: of the two p99; over {BOUND} is marked.
Wrong passwords flood the bare server after the panel's, for as long. The heaviest page here: {{heavy}}."""
SOME = 0.2
BUSY = "OTHER WORK took {others:.0%} of the processors before this began: measure on an idle machine."


@dataclass(frozen=True)
class Scene:
    """What is measured: a panel, and the bare server beside it."""

    panel: Panel
    bare_port: int
    folder: Path
    heavy: str

    def token_ask(self, name: str, port: int) -> dict[str, Any]:
        asked = self.panel.token_request
        return {"name": name, "port": port, "requests": [asked], "connections": 4, "every": 1 / 50}

    def page_ask(self, name: str, port: int, rate: int) -> dict[str, Any]:
        asked = self.panel.page_request(self.panel.light_page, X_Forwarded_For="192.0.2.9")  # somebody else
        return {"name": name, "port": port, "requests": [asked], "connections": 4, "every": 4 / rate}

    def probe(self, asks: list[dict[str, Any]], seconds: int = ROW_SECONDS) -> dict[str, Any]:
        spec = self.folder / "probe.json"
        spec.write_text(json.dumps({"seconds": seconds, "precise": True, "asks": asks}))
        command = [sys.executable, "-m", "tests.load.paced", str(spec)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        said: dict[str, Any] = json.loads(done.stdout)
        return said


Load = Callable[[Scene], AbstractContextManager[loads.Say]]


@dataclass(frozen=True)
class LoadRow:
    key: str
    label: str
    load: Load
    seconds: int = ROW_SECONDS
    only_if: Callable[[Panel], bool] = field(default=lambda _panel: True)
    bare_load: Load | None = None  # else it is beside the panel's


def open_pages(scene: Scene, count: int, every: float) -> AbstractContextManager[loads.Say]:
    asked = scene.panel.page_request(scene.panel.news_path())
    return loads.paced(scene.folder, port=scene.panel.port, requests=[asked], connections=count, every=every,
                       statuses=[200, 204], patient=True)  # fmt: skip


def events(scene: Scene) -> AbstractContextManager[loads.Say]:
    asked = loads.events(scene.panel, 200 * (EVENT_SECONDS + 60))
    return loads.paced(
        scene.folder, port=scene.panel.port, requests=asked, connections=4, every=4 / 200, statuses=[202]
    )


def guesses(scene: Scene, port: int) -> AbstractContextManager[loads.Say]:
    return loads.flood(scene.folder, loads.wrong_passwords(scene.panel), [port])


@contextmanager
def full_check(scene: Scene) -> Iterator[loads.Say]:
    scene.panel.fill()
    scene.panel.ask_for_a_check()
    end = time.monotonic() + 120
    while scene.panel.checked() == 0 and time.monotonic() < end:  # while it reads the catalog
        time.sleep(1)
    first = scene.panel.checked()
    yield lambda: f"at {first} to {scene.panel.checked()} %"


ROWS = [
    LoadRow("idle", "nothing", lambda _scene: nullcontext(lambda: "")),
    LoadRow("a", "32 clients at the heaviest page", lambda s: loads.flood(
        s.folder, [s.panel.page_request(s.heavy)], [s.panel.port])),
    LoadRow("b", "50 sign-ins at once", lambda s: loads.flood(
        s.folder, loads.sign_ins(s.panel), [s.panel.port], 50)),
    LoadRow("c", "32 clients with wrong passwords", lambda s: guesses(s, s.panel.token_port),
        bare_load=lambda s: guesses(s, s.bare_port)),
    LoadRow("d", "slow clients on every door", lambda s: loads.slow_clients(s.folder, s.panel)),
    LoadRow("g", "300 open pages, each second", lambda s: open_pages(s, 300, 1)),
    LoadRow("g", "1,000 open pages, each second", lambda s: open_pages(s, 1000, 1)),
    LoadRow("g", "1,000 pages left open, each 30 s", lambda s: open_pages(s, 1000, 30), only_if=Panel.pages_back_off),
    LoadRow("f", f"200 events a second, {EVENT_SECONDS} s", events, EVENT_SECONDS),
    LoadRow("e", f"full check of {MANY:,} × 10", full_check),
]  # fmt: skip
KEYS = ["pages", *(row.key for row in ROWS)]
WANTED = os.environ["ROWS"].split(",") if os.environ.get("ROWS") else KEYS
FEW_ROWS = ["pages", "idle", "a", "b"]  # those of `make bench` alone


def measure(folder: Path, wanted: list[str] = WANTED) -> list[Row]:
    if not set(wanted) <= set(KEYS):
        sys.exit(f"ROWS must be some of: {', '.join(dict.fromkeys(KEYS))}")
    if baseline := os.environ.get("BASELINE", ""):
        (folder / "before").mkdir()
        with checked_out(baseline, folder / "before" / "tree") as tree:
            _measure(f"before: {baseline}", tree, folder / "before", wanted)
    (folder / "after").mkdir()
    return _measure("after" if baseline else "the working tree", ROOT, folder / "after", wanted)


def measure_few(folder: Path) -> list[Row]:
    return measure(folder, WANTED if os.environ.get("ROWS") else FEW_ROWS)


def _measure(name: str, tree: Path, folder: Path, wanted: list[str]) -> list[Row]:
    rows: list[Row] = []
    began, others = time.monotonic(), busy()
    with running(tree, folder) as panel, _signing(panel, folder) as bare_port:
        scene = Scene(panel, bare_port, folder, _heaviest(panel))
        print(_head(name, scene, others))
        if "pages" in wanted:  # first: a check and events work on after their rows
            rows += _pages_under_tokens(scene)
        rows += _tokens_under_loads(scene, [load for load in ROWS if load.key in wanted])
    print(f"in {time.monotonic() - began:,.0f} s\n")
    return rows


def _head(name: str, scene: Scene, others: float) -> str:
    apart = scene.panel.tokens_apart
    head = HEAD.format(
        name=name,
        revision=_revision(scene.panel.tree),
        machine=_machine(),
        bare="ASGI" if apart else "WSGI",
        where="in a process of their own" if apart else "from the panel's process",
        heavy=scene.heavy,
    )
    return f"{head}\n{BUSY.format(others=others)}" if others > SOME else head


def _signing(panel: Panel, folder: Path) -> AbstractContextManager[int]:
    """As the tree itself serves tokens: inline, or in a thread."""
    if panel.tokens_apart:
        return _granian(panel, folder, "--interface", "asginl", "tests.load.servers:signed_asgi")
    return _granian(
        panel, folder, "--interface", "wsgi", "--blocking-threads", "1", "tests.load.servers:signed"
    )


@contextmanager
def _granian(panel: Panel, folder: Path, *words: str, **settings: str) -> Iterator[int]:
    port = processes.free_port()
    command = [sys.executable, "-m", "granian", "--port", str(port), "--no-ws", *words]
    env = os.environ | {"DATA_DIR": str(panel.data)} | settings
    server = processes.start("granian", command, log=folder / "bare.log", env=env, cwd=ROOT)
    try:
        server.wait_until(lambda: processes.tcp_answers(port), "answer")
        yield port
    finally:
        server.stop()


def _heaviest(panel: Panel) -> str:
    """Of the pages made of many rows, the one that takes most of a processor."""
    return max(panel.heavy_pages, key=lambda path: panel.cost(path, 2))


def _tokens_under_loads(scene: Scene, rows: list[LoadRow]) -> list[Row]:
    found: list[Row] = []
    print(_line("", "of the load", [("token p50", "p99"), ("bare p50", "p99")], "ratio", ("page p50", "p99")))
    asks = [
        scene.token_ask("token", scene.panel.token_port),
        scene.token_ask("bare", scene.bare_port),
        scene.page_ask("page", scene.panel.port, 10),
    ]
    for row in rows:
        if not row.only_if(scene.panel):
            continue
        _quiet(scene)
        said, came_to = _under(scene, row.load, asks, row.seconds)
        if row.bare_load:
            alone, bare_came_to = _under(scene, row.bare_load, asks[1:2], row.seconds)
            said, came_to = said | alone, f"{came_to} / {bare_came_to}"
        label = f"{row.key}  {row.label}" if len(row.key) == 1 else f"   {row.label}"
        token, bare, page = said["token"], said["bare"], said["page"]
        cells = [_cells(token), _cells(bare)]
        print(_line(label, came_to, cells, _ratio(token, bare), _cells(page)) + _failed(said))
        found.append(Row(f"token beside {row.label}, p99", ratios={"÷ bare": token["p99"] / bare["p99"]}))
    return found


def _under(scene: Scene, load: Load, asks: list[dict[str, Any]], seconds: int) -> tuple[dict[str, Any], str]:
    """What was measured, and what the load came to."""
    with load(scene) as say:
        time.sleep(SETTLE)
        said = scene.probe(asks, seconds)
    return said, say()


def _pages_under_tokens(scene: Scene) -> list[Row]:
    """And the reverse, beside a server that computes for as long as a page does."""
    found: list[Row] = []
    _quiet(scene)
    words = ("--interface", "wsgi", "--blocking-threads", "4", "tests.load.servers:page")
    seconds = str(scene.panel.cost(scene.panel.light_page))
    with _granian(scene.panel, scene.folder, *words, BARE_PAGE_SECONDS=seconds) as bare_port:
        print(_line("", "of the load", [("page p50", "p99"), ("bare p50", "p99")], "ratio"))
        asks = [scene.page_ask("page", scene.panel.port, 20), scene.page_ask("bare", bare_port, 20)]
        hammered = loads.flood(scene.folder, [scene.panel.token_request], [scene.panel.token_port])
        for label, load in (("nothing", nullcontext(lambda: "")), ("32 clients asking for tokens", hammered)):
            with load as say:
                time.sleep(SETTLE)
                said = scene.probe(asks)
            page, bare = said["page"], said["bare"]
            cells = [_cells(page), _cells(bare)]
            print(_line(f"   {label}", say(), cells, _ratio(page, bare)) + _failed(said))
            found.append(Row(f"page beside {label}, p99", ratios={"÷ bare": page["p99"] / bare["p99"]}))
    return found


def _line(
    label: str, load: str, pairs: list[tuple[str, str]], ratio: str, last: tuple[str, str] = ("", "")
) -> str:
    cells = "".join(f"{p50:>11}{p99:>8}" for p50, p99 in pairs)
    return f"{label:<36}{load:>20}{cells}{ratio:>13}{last[0]:>11}{last[1]:>8}".rstrip()


def _cells(said: dict[str, Any]) -> tuple[str, str]:
    return _ms(said, 50), _ms(said, 99)


def _quiet(scene: Scene) -> None:
    """What the load before left behind is worked off: pages answer again, and at once."""
    end, well = time.monotonic() + 60, 0
    while well < 3 and time.monotonic() < end:
        well = well + 1 if scene.panel.get(scene.panel.light_page).elapsed.total_seconds() < 0.2 else 0
        time.sleep(0.2)


def _ms(said: dict[str, Any], percent: int) -> str:
    took = said[f"p{percent}"]
    return ("≥" if said[f"open{percent}"] else "") + (f"{took:.2f}" if took < 10 else f"{took:,.0f}")


def _ratio(ours: dict[str, Any], bare: dict[str, Any]) -> str:
    ratio = ours["p99"] / bare["p99"]
    text = f"{ratio:,.1f}" if ratio < 10 else f"{ratio:,.0f}"
    return f"{text} OVER" if ratio > BOUND else text


def _failed(said: dict[str, Any]) -> str:
    failed = [
        f"{name} {each['failed']:,} of {each['asked']:,}" for name, each in said.items() if each["failed"]
    ]
    return f"  failed: {', '.join(failed)}" if failed else ""


def _revision(tree: Path) -> str:
    command = ["git", "-C", str(tree), "describe", "--always", "--dirty"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip() or "?"


def _machine() -> str:
    about = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.split(":")[1].strip() for line in about.splitlines() if line.startswith("model name")), "?"
    )
    versions = ", ".join(f"{name} {version(name)}" for name in ("granian", "django"))
    return (
        f"{os.cpu_count()} processors ({model}); Python {platform.python_version()}"
        f", {versions}, Linux {platform.release()}"
    )
