"""Marks in the access ledger what was really pulled and pushed, as events of the registry say.

An event names the user and not the password: the one with which the user last asked for this before counts as used.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Min

from accounts.common.user_agent import short
from accounts.models import Secret
from namespaces.ledger import writer
from namespaces.ledger.entries import Use, ledger_network
from namespaces.models import LedgerEntry
from namespaces.models.ledger import ADDRESS_MAX
from namespaces.names import split

# Between a token and what is done with it: its life, on clocks that differ a little.
_BEFORE, _AFTER = timedelta(hours=2), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ConfirmedUse:
    """What an event said, address and client as they came.

    `username` is "" where nobody had signed in. `action`: pull or push.
    """

    username: str
    repository: str
    action: str
    count: int
    at: datetime
    address: str
    client: str


def confirm(uses: Sequence[ConfirmedUse]) -> None:
    """Count them, in the caller's transaction."""
    users = writer.known_users({each.username for each in uses})
    uses = [each for each in uses if not each.username or each.username in users]
    if not uses:
        return
    secrets = _secrets(uses)
    confirmed = [
        Use(
            each.username, secret, each.repository, each.action, 0, each.count, each.at, each.at,
            frozenset({ledger_network(each.address)}) - {""}, each.address[:ADDRESS_MAX], short(each.client),
        )
        for each, secret in zip(uses, secrets, strict=True)
    ]  # fmt: skip
    writer.write(confirmed, users)


def _secrets(uses: Sequence[ConfirmedUse]) -> list[int]:
    """Return the password of each, 0 where it is not known."""
    named = [each for each in uses if each.username]
    if not named:
        return [0] * len(uses)
    requests = _requests(named)
    found = [_best(each, requests[each.username, each.repository, each.action]) for each in uses]
    unknown = [each for each, secret in zip(uses, found, strict=True) if each.username and not secret]
    only = _only_passwords(unknown) if unknown else {}
    return [secret or only.get(each.username, 0) for each, secret in zip(uses, found, strict=True)]


def _requests(uses: Sequence[ConfirmedUse]) -> dict[tuple[str, str, str], list[LedgerEntry]]:
    """Return (username, repository, action) → entries that may be of the same request."""
    places = [split(each.repository) for each in uses]
    rows = LedgerEntry.objects.filter(
        user__username__in={each.username for each in uses},
        namespace__name__in={namespace for namespace, _image in places},
        image_name__in={image for _namespace, image in places},
        action__in={each.action for each in uses},
        day__gte=(min(each.at for each in uses) - _BEFORE).astimezone(UTC).date(),
        count__gt=0,
    )
    found: dict[tuple[str, str, str], list[LedgerEntry]] = defaultdict(list)
    for row in rows.select_related("user", "namespace"):
        assert row.user
        found[row.user.username, f"{row.namespace.name}/{row.image_name}", row.action].append(row)
    return found


def _best(use: ConfirmedUse, requests: Iterable[LedgerEntry]) -> int:
    """Return the password of the request before it, if possible from the same network; 0 if there is none."""
    network = ledger_network(use.address)
    fitting = [
        (network in row.network_list, min(row.last_at, use.at), row.secret)
        for row in requests
        if use.at - _BEFORE <= row.last_at and row.first_at <= use.at + _AFTER
    ]
    return max(fitting, default=(False, use.at, 0))[2]


def _only_passwords(uses: Sequence[ConfirmedUse]) -> dict[str, int]:
    """Return username → its password, of those who have one that works: their entry may not be written yet.

    Who has trust policies may as well have come with an ID token.
    """
    live = Secret.objects.live(max(each.at for each in uses)).filter(user__trust_policies=None)
    rows = live.filter(user__username__in={each.username for each in uses}).order_by()
    counted = rows.values_list("user__username").annotate(number=Count("id"), only=Min("id"))
    return {username: only for username, number, only in counted if number == 1}
