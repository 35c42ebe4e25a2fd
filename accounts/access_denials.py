"""Requests that the token server denied: the answer to "why was I denied?".

Bounded: one row for each user, repository and action, the last KEPT of them for each user and KEPT_OF_ACCOUNT for each
account, for KEPT_FOR; between two
writes MOST are noted, as many as KEPT of a user, and of what nobody signed in for as many of a network. What is not
kept is counted.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from accounts import dropped_entries
from accounts.common import counts
from accounts.common.client_ip import Origin, network_of
from accounts.common.fair_share import Owner
from accounts.common.lazy_text import lazy as _
from accounts.kept_rows import forget_oldest
from accounts.models import Denial, DropCounter, RegistryUser
from accounts.write_behind import Batch

MOST = 2000
KEPT = 100
KEPT_OF_ACCOUNT = 5000
KEPT_FOR = timedelta(days=30)
SOURCES_MOST = 20
WRONG_PASSWORD = _("wrong password")
denials_total = counts.Counter(
    "registry_manager_denials_total",
    "Denied requests, by what was asked for. all: the user was denied whatever it asked, as with a wrong password.",
    label="action",
    values=("pull", "push", "delete", "mount", "id_token", "all", "other"),
)


@dataclass(frozen=True, slots=True)
class Denied:
    """Something that a user was refused; `sources` as of a Denial.

    `repository` and `action` are "" when the user was refused whatever it asked; `account` is None where a password was
    wrong, so that anybody may have written the username.
    """

    username: str
    repository: str
    action: str
    reason: str
    remedy: str
    origin: Origin
    account: int | None = None
    count: int = 1
    sources: tuple[str, ...] = ()

    @property
    def owner(self) -> Owner:
        if self.account is None:
            return network_of(self.origin.address), ""
        return self.account, self.username

    @property
    def key(self) -> tuple[str, ...]:
        return self.username, self.repository, self.action

    def merged_with(self, earlier: "Denied") -> "Denied":
        sources = _together(self.sources, earlier.sources)
        return replace(self, count=self.count + earlier.count, sources=sources)


def _together(newer: Iterable[str], older: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*newer, *older)))[:SOURCES_MOST]


def _write(notes: list[Denied]) -> None:
    """Write them. A username that nobody has may be among them: somebody guesses, or the user was deleted meanwhile."""
    named = RegistryUser.objects.filter(username__in={note.username for note in notes})
    rows = list(named.values_list("username", "id", "account_id"))
    users = {username: user_id for username, user_id, _account in rows}
    found = [(users[note.username], note) for note in notes if note.username in users]
    Denial.objects.bulk_create([_row(user_id, note) for user_id, note in found], ignore_conflicts=True)
    for user_id, note in found:
        row = Denial.objects.filter(user=user_id, repository=note.repository, action=note.action)
        row.update(
            count=F("count") + note.count,
            last_at=note.origin.at,
            address=note.origin.address,
            client=note.origin.client,
            reason=note.reason,
            remedy=note.remedy,
        )
        if note.sources:
            older = row.values_list("sources", flat=True).first() or ""
            row.update(sources=" ".join(_together(note.sources, older.split())))
    bounds = [(Denial.objects.filter(user=user_id), KEPT) for user_id in users.values()]
    accounts = {account for _username, _user, account in rows}
    bounds += [(Denial.objects.filter(user__account=account), KEPT_OF_ACCOUNT) for account in accounts]
    beyond: Counter[str] = Counter()
    for kept, most in bounds:
        if kept.count() > most:  # seldom, and to order thousands takes longer than to count them
            for username, count in forget_oldest(
                kept, most, by="last_at", fields=("user__username", "count")
            ):
                beyond[username] += count
    dropped_entries.note(DropCounter.Kind.DENIALS, beyond, timezone.now())


def _row(user_id: int, note: Denied) -> Denial:
    at = note.origin.at
    return Denial(user_id=user_id, repository=note.repository, action=note.action, first_at=at, last_at=at)


def forget_old(now: datetime) -> None:
    Denial.objects.filter(last_at__lt=now - KEPT_FOR).delete()


class _Denials(Batch[Denied]):
    def note(self, note: Denied) -> None:
        denials_total.add(note.action or "all")
        super().note(note)


denials = _Denials(DropCounter.Kind.DENIALS, _write, most=MOST, each=KEPT, merge=Denied.merged_with)
