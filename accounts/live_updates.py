"""What an open page asks again and again: whether anything became of what it shows. "No" costs one statement.

A page carries a note of what it waits for and how that stood, sealed for the session it was made for: it tells nobody
the counters and keys in it, which are the whole installation's. One statement compares the note with what is there now,
through the session, the person and the membership; whoever lost one of them, and every change, goes the ordinary way,
by the page's own view and its gates.
"""

import base64
import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import installation_status
from accounts.models import Person
from accounts.second_factors.requirement import HAS_FACTOR_SQL

PARAMETER: Final = "live"
BLOCK: Final = 128  # so that its length does not tell how many digits a counter has

# Raw SQL on purpose: the ORM takes 1.9 ms to write this, and the database far less to answer.
_ASK = """
SELECT p.password, {columns}{along}
FROM accounts_person p {rows}
WHERE p.id = %(person)s AND p.is_active AND {access}
  AND EXISTS (SELECT 1 FROM django_session s WHERE s.session_key = %(session)s AND s.expire_date > %(now)s)
"""


class For(Enum):
    """Whom a thing is shown to."""

    MEMBERS = f"""EXISTS (SELECT 1 FROM accounts_member m JOIN accounts_account a ON a.id = m.account_id
      WHERE m.person_id = p.id AND m.account_id = %(account)s AND a.closed_at IS NULL
        AND (NOT a.second_factor_required OR {HAS_FACTOR_SQL}))"""  # noqa: S608 (a constant)
    OPERATORS = "p.is_staff"
    EVERYBODY = "TRUE"


@dataclass(frozen=True, slots=True)
class Thing:
    """How things of a kind stand: these columns, with these rows joined.

    Known are %(key)s, %(name)s, %(account)s, and %(then)s, the moment so long `ago`.
    """

    columns: str
    rows: str = ""
    shown: For = For.MEMBERS
    ago: timedelta = timedelta()


NOTHING_ELSE: Final = "installation"
_USER: Final = "LEFT JOIN accounts_registryuser u ON u.id = %(key)s AND u.account_id = %(account)s"
THINGS: dict[str, Thing] = {
    NOTHING_ELSE: Thing("1", shown=For.EVERYBODY),
    "first use": Thing(
        """COALESCE((SELECT s.last_used_at FROM accounts_secret s
          WHERE s.user_id = u.id AND s.policy_id IS NULL ORDER BY s.id DESC LIMIT 1), u.last_used_at)""",
        _USER,
    ),
    "denial": Thing("(SELECT MAX(d.last_at) FROM accounts_denial d WHERE d.user_id = u.id)", _USER),
}


@dataclass(frozen=True, slots=True)
class Note:
    """A note of one thing, and how it stood.

    `since`: how it stood when the page was made, of which this may be a later note. `along`: how the installation
    stood.

    `session_hash` is another after a change of the person's password, as sessions are ended by it.
    """

    kind: str
    key: int
    name: str
    account: int
    person: int
    session_hash: str
    state: Any = None
    since: Any = None
    along: Any = None


@dataclass(frozen=True, slots=True)
class Now:
    """How it all is now, for who may know it."""

    password: str
    state: Any
    along: Any


class News(Enum):
    NOTHING = 1
    ELSEWHERE = 2  # of the installation, and not of the thing
    PERHAPS = 3  # the page's own view is asked


def note(
    request: HttpRequest, kind: str, key: int, *, account: int = 0, name: str = "", since: Any = None
) -> str:
    """For the page to ask with. Made before the page reads what it shows: what comes in between is then news."""
    person: Person = request.user  # type: ignore[assignment]
    session = str(request.session.session_key)
    blank = Note(kind, key, name, account, person.pk, person.get_session_auth_hash())
    found = _found(blank, session)
    state = found.state if found else None
    noted = {"state": state, "since": state if since is None else since, "along": found and found.along}
    return _sealed(asdict(blank) | noted, session)


def note_of(
    request: HttpRequest, kind: str, key: int, *, state: list[Any], account: int = 0, name: str = ""
) -> str:
    """As `note`, of a thing whose `state` is loaded already. Costs no statement: the person brought the rest along."""
    person: Person = request.user  # type: ignore[assignment]
    values = asdict(Note(kind, key, name, account, person.pk, person.get_session_auth_hash(), state, state))
    brought = list(installation_status.of(person, installation_status.NOTED).values())
    return _sealed(values | {"along": brought}, str(request.session.session_key))


def note_along(request: HttpRequest) -> str:
    """As `note`, of the installation alone."""
    return note_of(request, NOTHING_ELSE, 0, state=[1])


def of_page(request: HttpRequest, kind: str) -> Note | None:
    """Return the note that the page asks with, for the view that has news for it."""
    found = _read(request.GET.get(PARAMETER, ""), str(request.session.session_key))
    return found if found and found.kind == kind else None


def news(text: str, session: str) -> News:
    """Whether all is as it was, access too."""
    asked = _read(text, session)
    found = _found(asked, session) if asked else None
    if not asked or not found:
        return News.PERHAPS
    session_hash = Person(password=found.password).get_session_auth_hash()
    if not constant_time_compare(session_hash, asked.session_hash) or found.state != asked.state:
        return News.PERHAPS
    if found.along != asked.along:
        return News.PERHAPS if asked.kind == NOTHING_ELSE else News.ELSEWHERE
    return News.NOTHING


def _read(text: str, session: str) -> Note | None:
    """None for one that was not made for this session, or long ago."""
    try:
        found = Note(**json.loads(_seal(session).decrypt(text.encode(), ttl=settings.LIVE_NOTE_LIFE)))
    except (InvalidToken, ValueError, TypeError):
        return None
    return found if found.kind in THINGS else None  # a newer process may have made it


def _found(asked: Note, session: str) -> Now | None:
    """Ask the one statement; return None for who may not know it."""
    thing = THINGS[asked.kind]
    now, moment = timezone.now(), connection.ops.adapt_datetimefield_value
    values: dict[str, Any] = {"person": asked.person, "session": session, "account": asked.account, "key": asked.key,
              "name": asked.name, "now": moment(now), "then": moment(now - thing.ago),
              **installation_status.values(now)}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_statement(thing), values)
        row = cursor.fetchone()
    if not row:
        return None
    kept = json.loads(json.dumps(row[1:], default=str))
    own = len(kept) - len(installation_status.NOTED)
    return Now(row[0], kept[:own], kept[own:])


@cache
def _statement(thing: Thing) -> str:
    noted = installation_status.columns(installation_status.NOTED)
    return _ASK.format(columns=thing.columns, along=noted, rows=thing.rows, access=thing.shown.value)


def _sealed(values: dict[str, Any], session: str) -> str:
    text = json.dumps(values, default=str)
    return _seal(session).encrypt(text.ljust(-(-len(text) // BLOCK) * BLOCK).encode()).decode()


def _seal(session: str) -> Fernet:
    key = salted_hmac("accounts.live_updates", session, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
