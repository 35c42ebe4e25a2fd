"""Passwords that were digested with an older pepper get the newest one's digest when they are used.

Not in the first hour of a pepper: a process that does not know it yet would refuse them.
"""

from dataclasses import dataclass

from accounts.models import DropCounter, Secret
from accounts.write_behind import Batch, UserNote

MOST = 1000
EACH = 10  # passwords of one user


@dataclass(frozen=True, slots=True)
class Rehash(UserNote):
    secret_id: int
    old: str
    new: str
    pepper_version: int

    @property
    def key(self) -> tuple[str, ...]:
        return (self.username, str(self.secret_id))  # rows are locked in the order of accounts/last_used.py


def _write(notes: list[Rehash]) -> None:
    for each in notes:
        rows = Secret.objects.filter(pk=each.secret_id, digest=each.old)
        rows.update(digest=each.new, pepper_version=each.pepper_version)


rehashes = Batch(DropCounter.Kind.DIGESTS, _write, most=MOST, each=EACH)
