"""What webhooks add to a push, and how many are delivered: `make bench T=webhooks`."""

import json
from contextlib import ExitStack
from pathlib import Path

from tests.load import tokens
from tests.load.panel import ROOT
from tests.load.summary import Row
from tests.parts import postgres

HEAD = """\
WEBHOOKS in process: CPU to write 50 pushes of an image into its history with 0, 1 and 10 webhooks of the account, in
turns, the least of 15; and messages delivered to a receiver on this machine, signed, with its answer written down."""
HERE = Path(__file__).parent


def measure(folder: Path) -> list[Row]:
    print(HEAD, flush=True)
    with ExitStack() as stack:
        addresses = {"SQLite": "", "PostgreSQL": stack.enter_context(postgres.running())}
        return [_measure(name, folder / name.lower(), address) for name, address in addresses.items()]


def _measure(name: str, folder: Path, address: str) -> Row:
    env = tokens.environment(ROOT, folder, address) | {"WEBHOOK_NETWORKS": "127.0.0.0/8"}
    tokens.manage(ROOT, env, "migrate", "--verbosity", "0")
    program = (HERE / "measured_webhooks.py").read_text()
    told = tokens.manage(ROOT, env, "shell", "--verbosity", "0", "--command", program)
    found = json.loads(told.split("FOUND ")[1])
    none, one, ten = (found["pushes"][number] for number in ("0", "1", "10"))
    print(f"  {name:<12}a push {none:,.0f} µs; with 1 webhook {one:,.0f} µs, with 10 {ten:,.0f} µs; "
          f"{found['delivered']:,.0f} delivered a second")  # fmt: skip
    ratios = {"÷ none, 1": one / none, "÷ none, 10": ten / none}
    return Row(f"push with webhooks, {name}", said=f"{found['delivered']:,.0f} delivered/s", ratios=ratios)
