"""The slowest questions people ask of a large registry, on both databases: `make bench T=queries`.

BASE=<revision>    ask that one, too, in turns with the working tree
"""

import json
import os
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import psycopg

from tests.load import tokens
from tests.load.panel import ROOT, checked_out, python
from tests.load.summary import Row
from tests.parts import postgres

HERE = Path(__file__).parent
SHELL = ("shell", "--verbosity", "0", "--command")
TURNS = 3
BIG, TALL = "/a/listing/n/bench/i/big/", "/a/listing/n/bench/i/tall/"
# Each world, and what is asked of it before the next is added to it.
WORLDS = {
    "listing_world.py": {
        "filter of one character": f"{BIG}?q=v",
        "search for what is in all": "/a/listing/search/?q=v1.",
    },
    "queries_world.py": {
        "history of an image of 50,000 tags": f"{TALL}-/history/",
        "an account's images, 50,000 in 200 accounts": "/a/tenant-0/images/",
    },
}
HEAD = """\
QUERIES at 1,000,000 tags, 200,000 in one image. A whole request in the server's process, median of {rounds}, and the
time of its statements in it{base}."""

Times = list[tuple[float, float]]  # of whole requests and of their statements, in seconds


class Asker:
    """A process of one tree that requests a page again and again."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def times(self, path: str) -> Times:
        assert self._process.stdin
        assert self._process.stdout
        print(path, file=self._process.stdin, flush=True)
        return [(whole, asked) for whole, asked in json.loads(self._process.stdout.readline())]


@dataclass(frozen=True)
class Panel:
    tree: Path
    env: dict[str, str]

    @contextmanager
    def asker(self, world: str) -> Iterator[Asker]:
        """Add a world, the tree's own where it has one, and start asking."""
        place = next(path for path in (self.tree / "tests/load" / world, HERE / world) if path.exists())
        tokens.manage(self.tree, self.env, *SHELL, place.read_text())
        command = [python(self.tree), "manage.py", *SHELL, (HERE / "queries_asker.py").read_text()]
        with subprocess.Popen(
            command, cwd=self.tree, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield Asker(process)


def measure(folder: Path) -> list[Row]:
    revision = os.environ.get("BASE", "")
    print(HEAD.format(rounds=TURNS * 15, base=f"; then divided by {revision}'s" if revision else ""))
    against = f"÷ {revision}" if revision else ""
    print(f"{'':<58}{'request':>11}{'statements':>12}{against:>11}{against:>11}")
    with ExitStack() as stack:
        trees = [ROOT]
        if revision:
            trees.append(stack.enter_context(checked_out(revision, folder / "base")))
        rows = _questions("SQLite", trees, folder, "")
        with postgres.running() as address:
            rows += _questions("PostgreSQL", trees, folder, address)
    print()
    return rows


def _questions(name: str, trees: list[Path], folder: Path, address: str) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as stack:
        panels = [
            _panel(tree, folder / f"{name}{number}", address, f"queries{number}")
            for number, tree in enumerate(trees)
        ]
        for world, questions in WORLDS.items():
            askers = [stack.enter_context(panel.asker(world)) for panel in panels]
            for label, path in questions.items():
                turns = [[asker.times(path) for asker in askers] for _turn in range(TURNS)]
                measured = [[*chain(*each)] for each in zip(*turns, strict=True)]
                print(_line(f"{label}, {name}", measured), flush=True)
                rows.append(_row(f"{label}, {name}", measured))
    return rows


def _row(label: str, measured: list[Times]) -> Row:
    asked = [statistics.median(asked for _whole, asked in times) for times in measured]
    ratios = {"÷ base": asked[0] / asked[1]} if len(asked) > 1 else {}
    return Row(label, f"statements {1000 * asked[0]:.1f} ms", ratios=ratios)


def _line(label: str, measured: list[Times]) -> str:
    (whole, asked), *base = [
        [statistics.median(kind) for kind in zip(*times, strict=True)] for times in measured
    ]
    ratios = f"{whole / base[0][0]:>11.2f}{asked / base[0][1]:>11.2f}" if base else ""
    return f"{label:<58}{1000 * whole:>8.1f} ms{1000 * asked:>9.1f} ms{ratios}"


def _panel(tree: Path, folder: Path, address: str, database: str) -> Panel:
    if address:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        address = f"{address.rpartition('/')[0]}/{database}"
    env = tokens.environment(tree, folder, address)
    tokens.manage(tree, env, "migrate", "--verbosity", "0")
    tokens.manage(tree, env, "collectstatic", "--no-input", "--verbosity", "0")
    return Panel(tree, env)
