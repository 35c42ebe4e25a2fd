"""What a token costs by an ID token in place of a password: `make bench T=id-tokens`. In process, on SQLite."""

import json
from pathlib import Path

from tests.load.panel import ROOT
from tests.load.summary import Row
from tests.load.tokens import environment, manage

PROGRAM = Path(__file__).with_name("id_tokens_asker.py")


def measure(folder: Path) -> list[Row]:
    """Print and return what it takes, divided by what a password takes, and by the check of its RSA signature."""
    env = environment(ROOT, folder / "id-tokens", "") | {"PYTHONPATH": str(ROOT)}
    manage(ROOT, env, "migrate", "--verbosity", "0")
    told = manage(ROOT, env, "shell", "--verbosity", "0", "--command", PROGRAM.read_text())
    password, id_token, check = json.loads(told.splitlines()[-1])
    print(
        "ID TOKENS of GitHub's claims, RS256 with 2048 bits, against a password of the same user, in process"
    )
    print(f"{'by a password':<24}{password * 1e6:>9,.0f} µs")
    print(f"{'by an ID token':<24}{id_token * 1e6:>9,.0f} µs")
    print(f"{'its RSA signature alone':<24}{check * 1e6:>9,.0f} µs\n")
    ratios = {"÷ password": id_token / password, "÷ RSA check": id_token / check}
    return [Row("token by ID token, in process", ratios=ratios)]
