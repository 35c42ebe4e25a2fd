"""What a page costs in the server's process, beside another revision's: `make bench T=pages`.

BASE=<revision>    measure that one, too, in turns with the working tree
TAGS=<number>      how many there are in all (100,000), a fifth of them in one image
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.load.panel import ROOT, checked_out, python
from tests.load.summary import Row
from tests.parts import postgres

TAGS = 100_000
TURNS, BATCH = 7, 5
HERE = Path(__file__).parent
BIG = "/a/listing/n/bench/i/big/"
TAG = "v1.1.0"
# The first address that a tree knows.
PAGES = {
    "tag list (50 rows)": (BIG,),
    "tag list, part of a page": (f"HX {BIG}",),
    "image list": ("/a/listing/images/",),
    "users (50 rows)": ("/a/listing/users/",),
    "activity (50 rows)": ("/a/listing/activity/",),
    "access (50 rows)": (f"{BIG}-/access/",),
    "a tag": (f"{BIG}-/tags/{TAG}/",),
    "what removing does": (f"{BIG}-/delete-preview/?tag={TAG}", f"{BIG}-/remove/?tag={TAG}"),
    "history of an image": (f"{BIG}-/history/",),
}
HEAD = """\
PAGES of an account with {tags:,} tags, {in_one:,} of them in one image, and 60 users. CPU of whole requests,
in the server's process, by Django's test client: the least of {turns} medians of {batch}; then statements{base}."""


class Tree:
    """One tree's panel with its own data, which takes requests in a process of its own."""

    def __init__(self, tree: Path, folder: Path, address: str, tags: int) -> None:
        folder.mkdir()
        env = os.environ | {"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"}
        if address:
            env["DATABASE_URL"] = address
        self.words = [python(tree), "manage.py"]
        self.tree, self.env = tree, env
        prepares = (tree / "manager/management/commands/prepare.py").exists()  # as older ones call it
        self.manage("prepare" if prepares else "init_data_dir")
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--no-input", "--verbosity", "0")
        world = (tree / "tests/load/listing_world.py").read_text()
        sizes = f"TAGS, IN_ONE, SMALL_IMAGES, MANIFESTS = {tags}, {tags // 5}, {tags // 125}, {tags // 4}"
        world, found = re.subn(r"^TAGS, IN_ONE, .*$", sizes, world, flags=re.MULTILINE)
        assert found == 1
        self.shell(world)
        self.shell((HERE / "pages_world.py").read_text())

    def manage(self, *words: str) -> None:
        done = subprocess.run(
            [*self.words, *words], cwd=self.tree, env=self.env, check=False, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"{words[:1]} in {self.tree} failed:\n{done.stderr[-3000:]}")

    def shell(self, program: str) -> None:
        self.manage("shell", "--verbosity", "0", "--command", program)

    @contextmanager
    def taking_requests(self) -> Iterator[None]:
        program = (HERE / "pages_client.py").read_text()
        command = [*self.words, "shell", "--verbosity", "0", "--command", program]
        with subprocess.Popen(
            command, cwd=self.tree, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as self.process:
            yield
            self.process.stdin.close()  # type: ignore[union-attr]

    def known(self, paths: tuple[str, ...]) -> str:
        """Return the first path that it knows, warm."""
        for path in paths:
            if self.get(path, 3)["status"] == 200:
                return path
        sys.exit(f"{self.tree} does not know {paths}")

    def get(self, path: str, times: int) -> dict[str, Any]:
        """Return `seconds`, of each time, `statements` and `status`."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps([path, times]), file=self.process.stdin, flush=True)
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


def measure(folder: Path) -> list[Row]:
    revision, tags = os.environ.get("BASE", ""), int(os.environ.get("TAGS", "") or TAGS)
    base = f"; and the same of {revision}" if revision else ""
    print(HEAD.format(tags=tags, in_one=tags // 5, turns=TURNS, batch=BATCH, base=base))
    with ExitStack() as stack:
        trees = [ROOT]
        if revision:
            trees.append(stack.enter_context(checked_out(revision, folder / "base")))
        rows = _measure(
            "SQLite", [Tree(tree, folder / f"sqlite{n}", "", tags) for n, tree in enumerate(trees)]
        )
        cluster = stack.enter_context(postgres.cluster())
        made = []
        for number, tree in enumerate(trees):
            with psycopg.connect(cluster.url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE tree{number}")
            address = f"{cluster.url.rpartition('/')[0]}/tree{number}"
            made.append(Tree(tree, folder / f"postgresql{number}", address, tags))
        rows += _measure("PostgreSQL", made)
    print()
    return rows


def _measure(database: str, trees: list[Tree]) -> list[Row]:
    rows: list[Row] = []
    columns = f"{'time':>10}{'statements':>12}"
    against = f"{'÷ base':>8}{'base':>10}{'statements':>12}" if len(trees) > 1 else ""
    print(f"{database:<28}{columns}{against}")
    with ExitStack() as stack:
        for tree in trees:
            stack.enter_context(tree.taking_requests())
        for label, paths in PAGES.items():
            measured = _turns(trees, paths)
            print(_line(label, *measured), flush=True)
            rows.append(_row(f"{label}, {database}", *measured))
    return rows


def medians(trees: list[Tree], paths: tuple[str, ...]) -> list[float]:
    """Return the seconds of each tree's page."""
    return _turns(trees, paths)[1]


def _turns(trees: list[Tree], paths: tuple[str, ...]) -> tuple[list[int], list[float]]:
    """Return each tree's statements, and the least of its batches' medians: what another work delays counts less."""
    known = [tree.known(paths) for tree in trees]
    turns = [
        [tree.get(path, BATCH) for tree, path in zip(trees, known, strict=True)] for _turn in range(TURNS)
    ]
    each = list(zip(*turns, strict=True))
    least = [min(statistics.median(turn["seconds"]) for turn in tree) for tree in each]
    return [tree[0]["statements"] for tree in each], least


def _row(label: str, statements: list[int], medians: list[float]) -> Row:
    if len(medians) > 1:
        asked = f"{statements[0]} statements, were {statements[1]}"
        return Row(label, asked, ratios={"÷ base": medians[0] / medians[1]})
    return Row(label, f"{1000 * medians[0]:.1f} ms, {statements[0]} statements")


def _line(label: str, statements: list[int], medians: list[float]) -> str:
    cells = [
        f"{1000 * median:>7.1f} ms{number:>12}" for number, median in zip(statements, medians, strict=True)
    ]
    if len(medians) > 1:
        cells[1] = f"{medians[0] / medians[1]:>8.2f}{cells[1]}"
    return f"{label:<28}{''.join(cells)}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        measure(Path(name))
