"""`make soak`: clients at work while one process after another is killed, and what became of what they did.

`make soak T=odd`: nobody is killed; a tenant pushes what nobody expects, and the others are looked at.

SOAK_SECONDS=360  SOAK_SEED=1  SOAK_REGISTRY=3.1 (or 2.8)  SOAK_KILL=web1,registry (only these)
SOAK_FOLDER=…     keep logs and records there
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.load.soak import house, killed, odd_tenant
from tests.load.usage import busy
from tests.parts import registries

SECONDS = int(os.environ.get("SOAK_SECONDS", "360"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
VERSION: registries.Version = "2.8" if os.environ.get("SOAK_REGISTRY") == "2.8" else "3.1"
MODES = {"": killed.soak, "odd": odd_tenant.soak}
HEAD = "SOAK{mode} of {seconds} s, seed {seed}; Distribution {version}; other work takes {busy:.0%} of the processors"


@contextmanager
def folder() -> Iterator[Path]:
    if wanted := os.environ.get("SOAK_FOLDER"):
        Path(wanted).mkdir(parents=True)
        yield Path(wanted)
    else:
        with tempfile.TemporaryDirectory(prefix="soak-") as name:
            yield Path(name)


def main(words: list[str]) -> int:
    mode = " ".join(words)
    if mode not in MODES:
        sys.exit("T must be odd, or nothing")
    sys.stdout.reconfigure(line_buffering=True)
    print(HEAD.format(mode=f" {mode}".rstrip(), seconds=SECONDS, seed=SEED, version=VERSION, busy=busy()))
    with folder() as place, house.running(place, VERSION, SEED) as running:
        return MODES[mode](running, SECONDS, SEED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
