"""What users were refused at the token door: the answer to "why was I denied?".

Bounded: one row for each user, repository and action, the last KEPT of them for each user, for KEPT_FOR, and MOST
noted between two writes.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F

from accounts.addresses import Origin
from accounts.batches import Batch
from accounts.models import Denial, RegistryUser

MOST = 500
KEPT = 100
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Denied:
    """`repository` and `action` are "" when the user was refused whatever it asked."""

    username: str
    repository: str
    action: str
    reason: str
    remedy: str
    origin: Origin
    count: int = 1

    @property
    def key(self) -> tuple[str, ...]:
        return self.username, self.repository, self.action

    def after(self, earlier: "Denied") -> "Denied":
        return replace(self, count=self.count + earlier.count)


def _write(notes: list[Denied]) -> None:
    """A username that nobody has may be among them: somebody guesses, or the user was deleted meanwhile."""
    named = RegistryUser.objects.filter(username__in={note.username for note in notes})
    users = dict(named.values_list("username", "id"))
    found = [(users[note.username], note) for note in notes if note.username in users]
    Denial.objects.bulk_create([_row(user_id, note) for user_id, note in found], ignore_conflicts=True)
    for user_id, note in found:
        Denial.objects.filter(user=user_id, repository=note.repository, action=note.action).update(
            count=F("count") + note.count, last_at=note.origin.at, address=note.origin.address,
            client=note.origin.client, reason=note.reason, remedy=note.remedy,
        )  # fmt: skip
    for user_id in users.values():
        _forget_oldest(user_id)


def _row(user_id: int, note: Denied) -> Denial:
    at = note.origin.at
    return Denial(user_id=user_id, repository=note.repository, action=note.action, first_at=at, last_at=at)


def _forget_oldest(user_id: int) -> None:
    rows = Denial.objects.filter(user=user_id).order_by("-last_at", "-id")
    if beyond := list(rows.values_list("id", flat=True)[KEPT:]):
        Denial.objects.filter(id__in=beyond).delete()


def forget_old(now: datetime) -> None:
    Denial.objects.filter(last_at__lt=now - KEPT_FOR).delete()


denials = Batch("denials", _write, most=MOST)
