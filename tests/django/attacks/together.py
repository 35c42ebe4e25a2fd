"""Acts that happen at the same moment, each in a thread and on a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")
PATIENCE = 120  # seconds until a test that hangs fails instead


def together(acts: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Starts all of them at one signal; what each returned, or what it raised, in their order."""
    signal = threading.Barrier(len(acts), timeout=PATIENCE)

    def one(act: Callable[[], Result]) -> Result | Exception:
        try:
            connections["default"].ensure_connection()
            signal.wait()
            return act()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def raised(results: Sequence[object]) -> list[type[Exception]]:
    return [type(each) for each in results if isinstance(each, Exception)]
