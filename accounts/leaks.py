"""Whose a password or API token is that was found somewhere, for whoever has all of its text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.core import signing
from django.db.models import QuerySet

from accounts import credentials
from accounts.common.errors import NotFound
from accounts.leak_scan import Candidate
from accounts.models import Account, ApiToken, Secret
from accounts.peppers import peppers
from accounts.principal import Principal

_SALT: Final = "accounts.leaks"
_PROOF_SECONDS: Final = 3600


class Kind(StrEnum):
    PASSWORD = "password"  # noqa: S105 (a word)
    API_TOKEN = "api_token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Finding:
    """`shown` as "rmp_…Xy9z"; `row` None for what is mistyped (not `sound`), or nobody's that the reader may know."""

    shown: str
    kind: Kind
    sound: bool
    live: bool = False
    row: Secret | ApiToken | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.row.pk}" if self.row else ""


def look_up(candidates: Sequence[Candidate], *, account: Account | None, now: datetime) -> list[Finding]:
    """Look each up among the passwords of `account` and the API tokens of its members; None: of all. Two statements."""
    sound = [each.text for each in candidates if each.sound]
    rows: list[Secret | ApiToken] = [*_passwords(account, sound), *_tokens(account, sound)]
    by_digest = {row.digest: row for row in rows}

    def find(each: Candidate) -> Finding:
        kind = Kind.API_TOKEN if each.is_api_token else Kind.PASSWORD
        digests = credentials.digests(each.text, peppers()) if each.sound else ()
        row = next((by_digest[digest] for digest in digests if digest in by_digest), None)
        return Finding(each.shown, kind, each.sound, bool(row and is_live(row, now)), row)

    return [*map(find, candidates)]


def reported(digests: Iterable[str]) -> list[Secret | ApiToken]:
    """Return those that are stored under one of these digests. Two statements."""
    wanted = [*digests]
    return [*_all_passwords().filter(digest__in=wanted), *_all_tokens().filter(digest__in=wanted)]


def is_live(row: Secret | ApiToken, now: datetime) -> bool:
    """Return whether it works, if its user or person does."""
    if isinstance(row, Secret):
        return row.live_at(now)
    return row.is_live(now)


def proof(findings: Sequence[Finding], by: Principal) -> str:
    """Sign what was found, so that it can be ended in the next request without the text of it."""
    known = [[each.kind, each.row.pk, each.shown] for each in findings if each.row]
    return signing.dumps([by.id, known], salt=_SALT, compress=True)


def proven(text: str, *, by: Principal, account: Account | None, now: datetime) -> list[Finding]:
    """Return what `proof` was made of for the same person, as it is now. Raise NotFound, after an hour too."""
    try:
        person_id, known = signing.loads(text, salt=_SALT, max_age=_PROOF_SECONDS)
    except signing.BadSignature:
        raise NotFound from None
    if person_id != by.id:
        raise NotFound
    passwords = _passwords(account, None).in_bulk([pk for kind, pk, _shown in known if kind == Kind.PASSWORD])
    tokens = _tokens(account, None).in_bulk([pk for kind, pk, _shown in known if kind == Kind.API_TOKEN])
    found = []
    for word, pk, shown in known:
        kind = Kind(word)
        row = (passwords if kind is Kind.PASSWORD else tokens).get(pk)
        found.append(Finding(shown, kind, True, bool(row and is_live(row, now)), row))
    return found


def _passwords(account: Account | None, texts: Sequence[str] | None) -> QuerySet[Secret]:
    rows = _all_passwords() if account is None else _all_passwords().filter(user__account=account)
    return rows if texts is None else rows.filter(digest__in=_digests(texts))


def _tokens(account: Account | None, texts: Sequence[str] | None) -> QuerySet[ApiToken]:
    rows = _all_tokens() if account is None else _all_tokens().filter(person__memberships__account=account)
    return rows if texts is None else rows.filter(digest__in=_digests(texts))


def _all_passwords() -> QuerySet[Secret]:
    return Secret.objects.select_related("user__account")


def _all_tokens() -> QuerySet[ApiToken]:
    return ApiToken.objects.select_related("person")


def _digests(texts: Sequence[str]) -> list[str]:
    return [digest for text in texts for digest in credentials.digests(text, peppers())]
