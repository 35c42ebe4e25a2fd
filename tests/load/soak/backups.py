"""A backup in the middle of it all: whole, of one moment, and restored elsewhere what it was."""

import json
import subprocess
import sys
from pathlib import Path

from tests.load.soak.house import House, manage
from tests.load.soak.report import Report

# Of one moment: each tag points at what its history says last.
LOOK = """
import json
from accounts import audit_chain
from namespaces.models import Tag, TagHistoryEntry
tags = {(i, n): m for i, n, m in Tag.objects.filter(missing_since=None).values_list("image_id", "name", "manifest_id")}
moves = TagHistoryEntry.objects.order_by("at", "id").values_list("image_id", "tag", "new")
newest = {(i, t): new for i, t, new in moves}
shown = {key: new for key, new in newest.items() if new}
print("FOUND", json.dumps({
    "tags": len(tags), "apart": sum(tags.get(key) != shown.get(key) for key in tags.keys() | shown.keys()),
    "seals": len(list(audit_chain.problems())),
}))
"""


class Backup:
    def __init__(self, house: House) -> None:
        self.house = house
        self.file, self.keys = house.folder / "backup.tar", house.folder / "keys" / "keys.tar"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Make it beside what is going on."""
        self.keys.parent.mkdir()
        words = ["backup", str(self.file), "--keys", str(self.keys)]
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *words], env=self.house.env, stdout=subprocess.PIPE, text=True
        )

    def report(self, said: Report) -> None:
        said.head("A BACKUP, made halfway and restored on SQLite")
        assert self.process, "started"
        made, _errors = self.process.communicate()
        said.equal("exit code", str(self.process.returncode), "0")
        if self.process.returncode:
            return
        said.fact("rows", made.partition(": ")[2].partition(" of ")[0])
        words = [str(self.file), "--keys", str(self.keys)]
        whole = "is whole" in manage(self.house.env, "backup", "--verify", *words)
        said.equal("verified", "yes" if whole else "no", "yes")
        env = self._elsewhere()
        manage(env, "restore", *words)
        found = json.loads(manage(env, "shell", "--verbosity", "0", "--command", LOOK).split("FOUND ")[1])
        said.fact("tags", f"{found['tags']:,}")
        said.most("tags that are not as their history says", found["apart"], 0)
        said.most("seals of the audit log that do not hold", found["seals"], 0)

    def _elsewhere(self) -> dict[str, str]:
        folder: Path = self.house.folder / "restored"
        folder.mkdir()
        kept = {name: value for name, value in self.house.env.items() if name != "DATABASE_URL"}
        return kept | {"DATA_DIR": str(folder)}
