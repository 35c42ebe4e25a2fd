"""All that a token request needs to know, in one prepared statement, however many repositories are asked for.

Raw SQL on purpose: building the same query through the ORM costs three times the query itself.
"""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.common.circuit_breaker import Breaker
from accounts.common.database_errors import Outage, outage_of
from accounts.common.errors import Unavailable
from namespaces.access import AccessContext, GrantedLevel, GrantSource, Level, UserStatus
from namespaces.names import split
from registry_sync.tokens.prepared import PreparedCursor

# A row for each repository asked for, two where both its namespace and its image are granted; one without a repository
# when none is asked for. What is private in another account does not exist for this user. Parameters: digests,
# repositories, the moment.
_USER = """
SELECT s.id, s.digest, s.expires_at IS NOT NULL AND s.expires_at <= {third}
         OR s.retires_at IS NOT NULL AND s.retires_at <= {third},
       u.username, u.account_id,
       u.disabled_at IS NOT NULL, u.expires_at IS NOT NULL AND u.expires_at <= {third}, a.closed_at IS NOT NULL,
       asked.repository, CASE WHEN o.closed_at IS NULL THEN n.public END, g.image_name, g.level
FROM accounts_secret s
JOIN accounts_registryuser u ON u.id = s.user_id
JOIN accounts_account a ON a.id = u.account_id
LEFT JOIN {second_as_asked} ON TRUE
LEFT JOIN namespaces_namespace n ON n.name = asked.namespace AND (n.public OR n.account_id = a.id)
LEFT JOIN accounts_account o ON o.id = n.account_id
LEFT JOIN namespaces_grant g ON g.user_id = u.id AND g.namespace_id = n.id AND g.image_name {of_either}
  AND (g.expires_at IS NULL OR g.expires_at > {third})
WHERE s.digest {in_first}
"""
# Parameter: names of namespaces.
_PUBLIC = """
SELECT n.name FROM namespaces_namespace n JOIN accounts_account o ON o.id = n.account_id
WHERE n.name {in_first} AND n.public AND o.closed_at IS NULL
"""
# Lists are single parameters, joined by spaces, so that a statement's text never changes. Nor does its plan: PostgreSQL
# sees no values behind a SELECT; else it plans anew whenever it finds fewer than it would guess, for longer than it
# runs.
_DIALECTS = {
    "postgresql": {
        "in_first": "= ANY(string_to_array((SELECT $1::text), ' '))",
        "second_as_asked": "(SELECT repository, split_part(repository, '/', 1) AS namespace,"
        " substr(repository, strpos(repository, '/') + 1) AS image"
        " FROM unnest(string_to_array((SELECT $2::text), ' ')) AS repository) AS asked",
        "of_either": "= ANY(ARRAY['', asked.image])",  # a list that it looks up, where it would filter by IN
        "third": "($3::timestamp AT TIME ZONE 'UTC')",  # whatever the session's zone is
    },
    "sqlite": {
        "in_first": """IN (SELECT value FROM json_each('["' || replace(?1, ' ', '","') || '"]'))""",
        "second_as_asked": "(SELECT value AS repository, substr(value, 1, instr(value, '/') - 1) AS namespace,"
        " substr(value, instr(value, '/') + 1) AS image"
        """ FROM json_each('["' || replace(?2, ' ', '","') || '"]')) AS asked""",
        "of_either": "IN ('', asked.image)",
        "third": "?3",
    },
}

# Of PostgreSQL, off where only tokens are made: all is found by keys, and a plan that was made while tables were short
# would go on to read them whole.
BY_KEYS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_memoize", "jit")

SLOW_SECONDS = 0.1  # seconds
_database = Breaker(rest=0)
_kept = threading.local()


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    username: str
    account: int
    secret_id: int  # the row of the password it gave
    digest: str  # of that password, as it is stored
    password_ended: bool
    user_status: UserStatus


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks (None: anonymous), and repository → access context for each repository that was asked for."""

    user: AuthenticatedUser | None
    contexts: dict[str, AccessContext]


def load_caller(*, digests: list[str], repositories: list[str], now: datetime) -> Caller | None:
    """None when no secret has one of these digests. Raise Unavailable without a database."""
    database = connections["default"]  # looked up once: the usual proxy looks it up at each touch
    # Without its zone: SQLite compares it as text with what Django has stored.
    moment = str(now.astimezone(UTC).replace(tzinfo=None))
    rows = _rows(database, _USER, [" ".join(digests), " ".join(repositories), moment])
    if not rows:
        return None
    secret_id, digest, password_ended, username, account, *user_status = rows[0][:8]
    status = _user_status(*user_status)
    user = AuthenticatedUser(username, account, secret_id, digest, bool(password_ended), status)
    # Without a repository there is one row, for none.
    return Caller(user, _contexts(user.user_status, rows) if repositories else {})


def load_anonymous(*, repositories: list[str]) -> Caller:
    """Return the contexts of an anonymous caller. Raise Unavailable without a database."""
    database = connections["default"]
    namespaces = {repository: split(repository)[0] for repository in repositories}
    rows = _rows(database, _PUBLIC, [" ".join(sorted(set(namespaces.values())))])
    public = {name: True for (name,) in rows}
    return Caller(
        None,
        {
            repository: _context(UserStatus.ANONYMOUS, public.get(namespace), None, None)
            for repository, namespace in namespaces.items()
        },
    )


def _contexts(user_status: UserStatus, rows: list[tuple[Any, ...]]) -> dict[str, AccessContext]:
    found: dict[str, tuple[bool | None, int | None, int | None]] = {}
    for row in rows:
        repository, public, image_name, level = row[8:]
        _public, wide, narrow = found.get(repository, (None, None, None))
        found[repository] = (public, wide, level) if image_name else (public, level or wide, narrow)
    return {repository: _context(user_status, *values) for repository, values in found.items()}


@cache  # they are few; a token of many scopes makes no object anew
def _context(
    user_status: UserStatus, public: bool | None, wide: int | None, narrow: int | None
) -> AccessContext:
    """From one row; `public` is None where there is no such namespace."""
    levels = ((GrantSource.IMAGE, narrow), (GrantSource.NAMESPACE, wide))
    grants = tuple(GrantedLevel(source, Level(level)) for source, level in levels if level)
    return AccessContext(user_status, public is not None, bool(public), grants)


def _user_status(disabled: bool, expired: bool, closed: bool) -> UserStatus:
    if closed:
        return UserStatus.ACCOUNT_CLOSED
    if disabled:
        return UserStatus.DISABLED
    return UserStatus.EXPIRED if expired else UserStatus.ACTIVE


@cache
def _statement(template: str, vendor: str) -> str:
    return template.format(**_DIALECTS[vendor])


def _rows(database: BaseDatabaseWrapper, template: str, parameters: list[str]) -> list[tuple[Any, ...]]:
    """Return the rows. Raise Unavailable.

    Clients wait for each other behind a database that makes us wait, so it is then left alone for as long as it took;
    one that refuses at once may be asked at once.
    """
    if not _database.may_ask:
        raise Unavailable(Outage.AWAY.sentence)
    began = _database.clock()
    try:
        return _asked(database, _statement(template, database.vendor), parameters)
    except Unavailable:
        waited = _database.clock() - began
        if waited > SLOW_SECONDS:
            _database.failed(rest=waited)
        raise


def _asked(database: BaseDatabaseWrapper, text: str, parameters: list[str]) -> list[tuple[Any, ...]]:
    """Ask, and once more when the connection turns out to be dead, as all are after the server was restarted.

    What could not connect, or waited in vain, is not begun again.
    """
    try:
        return _run(database, text, parameters)
    except Error as error:
        dead = database.connection is not None and not database.is_usable()
        database.close()
        if not dead:
            raise _unavailable(error) from error
    try:
        return _run(database, text, parameters)
    except Error as error:
        database.close()
        raise _unavailable(error) from error


def _unavailable(error: Error) -> Unavailable:
    return Unavailable((outage_of(error) or Outage.AWAY).sentence)


def _run(database: BaseDatabaseWrapper, text: str, parameters: list[str]) -> list[tuple[Any, ...]]:
    """Have the driver run it, and prepare it where the settings allow that; Django's cursor costs as much again."""
    database.ensure_connection()
    with database.wrap_database_errors:
        rows: list[tuple[Any, ...]] = _cursor(database).execute(text, parameters).fetchall()
        return rows


def _cursor(database: BaseDatabaseWrapper) -> Any:
    """Return this thread's cursor of the driver's connection; a new one would have to learn and prepare everything."""
    if getattr(_kept, "connection", None) is not (connection := database.connection):
        of_postgresql = database.vendor == "postgresql"
        _kept.cursor = PreparedCursor(connection) if of_postgresql else connection.cursor()
        _kept.connection = connection
    return _kept.cursor
