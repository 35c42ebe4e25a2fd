"""An earlier build is replaced by this one, process by process, while clients ask without a pause."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from tests.load.restarts import asked, requests_of
from tests.parts import install
from tests.showcase.installation import OURS, SERVERS, Installation
from tests.showcase.told import demand, say

ENOUGH = 100  # answers before the first process is replaced, and after the last


def show(at: Installation) -> None:
    revision = before_the_newest_migration()
    if revision:
        at.source = checkout(revision, at.folder / "earlier")
        say(f"an earlier build, {revision[:8]}, is installed: the last one without the newest migration")
    else:
        say("this clone has no earlier build: its own is replaced by itself")
    at.prepare()
    at.make_team()
    at.start("registry", *OURS)
    with asked(at.url, requests_of(at.login)) as answers:
        at.until(lambda: answers.counts.total() > ENOUGH, "answers")
        at.source = install.ROOT
        at.prepare()  # while the old processes run
        for name in OURS:
            at.stop(name)
            at.start(name)
        before = answers.counts.total()
        at.until(lambda: answers.counts.total() > before + ENOUGH, "answers")
    say(f"{len(OURS)} processes were replaced, of them {len(SERVERS)} servers")
    for kind in requests_of(at.login):
        say(f"{kind}: {answers.counts[kind, '200']:,} answered")
    say(f"the slowest took {answers.slowest:.1f} s")
    demand(not answers.failed, f"none fails; these did: {answers.failed}")
    say("none failed")


def before_the_newest_migration() -> str:
    """Return the revision; "" where this clone does not know it."""
    newest = git("log", "-1", "--format=%H", "--diff-filter=A", "--", "*/migrations/0*.py")
    return git("rev-parse", "--verify", "--quiet", f"{newest}^") if newest else ""


def checkout(revision: str, folder: Path) -> Path:
    command = ["git", "-C", str(install.ROOT), "archive", revision]
    content = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(content)) as packed:
        packed.extractall(folder, filter="data")
    return folder


def git(*words: str) -> str:
    command = ["git", "-C", str(install.ROOT), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
