"""Which tests run on PostgreSQL."""

from dataclasses import dataclass
from typing import Any

from tests.workers import some_of_each


@dataclass(frozen=True)
class Item:
    nodeid: str


def chosen(seed: int) -> tuple[list[str], list[str]]:
    items: Any = [Item(f"a.py::test_walk[{number}]") for number in range(50)]
    items += [Item(f"a.py::test_few[{number}]") for number in range(3)] + [Item("b.py::test_walk")]
    kept, left = some_of_each(items, 10, seed=seed)
    return [each.nodeid for each in kept], [each.nodeid for each in left]


def test_of_many_parameters_some_run_and_of_few_all() -> None:
    kept, left = chosen(1)
    assert kept[-4:] == ["a.py::test_few[0]", "a.py::test_few[1]", "a.py::test_few[2]", "b.py::test_walk"]
    assert (len(kept), len(left)) == (14, 40)
    assert not set(kept) & set(left)


def test_the_seed_says_which() -> None:
    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)
