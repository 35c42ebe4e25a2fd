"""Runs a command beside parts of its own, in its environment as DATABASE_URL and REDIS_URL.

Tests heed them only as TEST_DATABASE_URL and TEST_REDIS_URL (tests/environment.py).

    python -m tests.parts.run postgresql redis -- pytest tests/django

Ends with the command's own exit code, or with 2 when a part is missing.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.parts import install, postgres, redis


@contextmanager
def _redis() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = redis.start(Path(folder))
        try:
            yield server.url
        finally:
            server.stop()


PARTS: dict[str, tuple[str, Callable[[], AbstractContextManager[str]]]] = {
    "postgresql": ("DATABASE_URL", postgres.running),
    "redis": ("REDIS_URL", _redis),
}


def main(arguments: list[str]) -> int:
    if "--" not in arguments or not set(names := arguments[: arguments.index("--")]) <= set(PARTS):
        sys.stderr.write(__doc__ or "")
        return 2
    if absent := [sentence for name in names if (sentence := install.missing(name))]:
        sys.stderr.write("\n".join(absent) + "\n")
        return 2
    with ExitStack() as running:
        urls = {PARTS[name][0]: running.enter_context(PARTS[name][1]()) for name in names}
        command = arguments[len(names) + 1 :]
        ours = urls | {f"TEST_{name}": url for name, url in urls.items()}
        return subprocess.run(command, check=False, env=os.environ | ours).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
