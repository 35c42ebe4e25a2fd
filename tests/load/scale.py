"""How costs grow with what there is: `make bench T=scale`. Three sizes of each, and what one more costs."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.load import pages, sync, tokens
from tests.load.panel import ROOT
from tests.load.summary import Row

SCOPES, GRANTS = (1, 10, 100), (20, 200, 800)
TAGS = (5_000, 20_000, 100_000)
REPOSITORIES = (50, 150, 450)
TURNS = 5
PAGES = ("tag list (50 rows)", "image list", "a tag", "history of an image")
HEAD = """\
SCALE. What it takes of a core in the panel's process, on SQLite, at three sizes; then what a thousand more add."""


def measure(folder: Path) -> list[Row]:
    print(HEAD)
    rows = [*_of_tokens(folder), *_of_pages(folder), *_of_checks(folder)]
    print()
    return rows


def _of_tokens(folder: Path) -> list[Row]:
    by_grants = []
    with ExitStack() as stack:
        for grants in GRANTS:
            env = tokens.environment(ROOT, folder / f"grants{grants}", "")
            tokens.manage(ROOT, env, "migrate", "--verbosity", "0")
            world = (ROOT / "tests/load/world.py").read_text()
            words = ("shell", "--verbosity", "0", "--command", world)
            said = tokens.manage(ROOT, env | {"BENCH_IMAGES": str(grants // 20)}, *words)
            login = tokens.Login(*said.split()[-2:])
            by_grants.append(stack.enter_context(tokens.asking(ROOT, env, login)))
        of_grants = [min(asker.seconds(1) for _turn in range(TURNS)) for asker in by_grants]
        of_scopes = [min(by_grants[1].seconds(scopes) for _turn in range(TURNS)) for scopes in SCOPES]
    return [
        _row("token, by grants of its user", GRANTS, of_grants),
        _row(f"token of {GRANTS[1]} grants, by scopes", SCOPES, of_scopes),
    ]


def _of_pages(folder: Path) -> list[Row]:
    trees = [pages.Tree(ROOT, folder / f"tags{tags}", "", tags) for tags in TAGS]
    with ExitStack() as stack:
        for tree in trees:
            stack.enter_context(tree.taking_requests())
        return [_row(f"{label}, by tags", TAGS, pages.medians(trees, pages.PAGES[label])) for label in PAGES]


def _of_checks(folder: Path) -> list[Row]:
    found = [sync.costs(folder / f"check{count}", count) for count in REPOSITORIES]
    return [
        _row(f"{label}, by repositories of ten tags", REPOSITORIES, [each[label] for each in found])
        for label in found[0]
    ]


def _row(label: str, sizes: Sequence[int], seconds: Sequence[float]) -> Row:
    slope = 1000 * (seconds[-1] - seconds[0]) / (sizes[-1] - sizes[0])
    cells = "".join(f"{size:>10,}:{_time(each):>10}" for size, each in zip(sizes, seconds, strict=True))
    print(f"  {label:<48}{cells}   +{_time(slope)}", flush=True)
    return Row(
        label,
        f"{_time(slope)} for a thousand more",
        ratios={f"from {sizes[0]:,} to {sizes[-1]:,}": seconds[-1] / seconds[0]},
    )


def _time(seconds: float) -> str:
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{1000 * seconds:.1f} ms"
        if seconds >= 0.001
        else f"{1e6 * seconds:.0f} µs"
    )
