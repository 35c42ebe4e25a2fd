"""All that a token request needs to know, in one prepared statement, however many repositories are asked for.

An ID token takes two: which keys and rules it is judged by, and what the user may do.
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
from registry_sync.tokens.statements import ACCESS_BY_NAME, CALLER_BY_DIGEST, POLICIES, PUBLIC, statement

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
    secret_id: int  # the row of the password it gave; 0 of an ID token
    digest: str  # of that password, as it is stored
    password_ended: bool
    user_status: UserStatus
    policy_id: int = 0  # the trust policy that let it in, itself or when it was swapped for a password

    @property
    def credential(self) -> int:
        """How the access ledger tells what it gave from other passwords: a trust policy by its negative id."""
        return -self.policy_id or self.secret_id


@dataclass(frozen=True, slots=True)
class Policy:
    """A trust policy, with the issuer that it trusts. `rules` is JSON."""

    id: int
    audience: str
    rules: str
    pull_requests_may_push: bool
    issuer_id: int
    preset: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """One of the issuers of that name. `key_text`: a JWKS, "" while there is none."""

    id: int
    key_text: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What a user trusts of one issuer's name."""

    username: str
    account: int
    user_status: UserStatus
    policies: tuple[Policy, ...]
    issuers: tuple[Issuer, ...]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks (None: anonymous), and repository → access context for each repository that was asked for."""

    user: AuthenticatedUser | None
    contexts: dict[str, AccessContext]


def load_caller(*, digests: list[str], repositories: list[str], now: datetime) -> Caller | None:
    """None when no secret has one of these digests. Raise Unavailable without a database."""
    database = connections["default"]  # looked up once: the usual proxy looks it up at each touch
    rows = _rows(database, CALLER_BY_DIGEST, [" ".join(digests), " ".join(repositories), _moment(now)])
    if not rows:
        return None
    secret_id, policy_id, digest, password_ended, username, account, *user_status = rows[0][:10]
    status = _user_status(*user_status)
    user = AuthenticatedUser(
        username, account, secret_id, digest, bool(password_ended), status, policy_id or 0
    )
    # Without a repository there is one row, for none.
    return Caller(user, _contexts(user.user_status, rows) if repositories else {})


def load_trust(*, username: str, issuer: str, now: datetime) -> Trust | None:
    """None where the user trusts no issuer of that name, or there is no such user. Raise Unavailable."""
    rows = _rows(connections["default"], POLICIES, [username, issuer, _moment(now)])
    if not rows:
        return None
    name, account, *user_status = rows[0][7:]
    policies: list[Policy] = []
    issuers: list[Issuer] = []
    for id_, audience, rules, may_push, issuer_id, preset, keys, *_user in rows:
        policies.append(Policy(id_, audience, rules, bool(may_push), issuer_id, preset))
        if issuer_id not in {each.id for each in issuers}:
            issuers.append(Issuer(issuer_id, keys))
    return Trust(name, account, _user_status(*user_status), tuple(policies), tuple(issuers))


def load_contexts(
    *, username: str, user_status: UserStatus, repositories: list[str], now: datetime
) -> dict[str, AccessContext]:
    """Return the contexts of a user who has signed in. Raise Unavailable."""
    if not repositories:
        return {}
    rows = _rows(connections["default"], ACCESS_BY_NAME, [username, " ".join(repositories), _moment(now)])
    return _contexts(user_status, rows)


def _moment(at: datetime) -> str:
    """Without its zone: SQLite compares it as text with what Django has stored."""
    return str(at.astimezone(UTC).replace(tzinfo=None))


def load_anonymous(*, repositories: list[str]) -> Caller:
    """Return the contexts of an anonymous caller. Raise Unavailable without a database."""
    database = connections["default"]
    namespaces = {repository: split(repository)[0] for repository in repositories}
    rows = _rows(database, PUBLIC, [" ".join(sorted(set(namespaces.values())))])
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
        repository, public, image_name, level = row[-4:]
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


def _user_status(disabled: bool, expired: bool, closed: bool, suspended: bool) -> UserStatus:
    if closed or suspended:
        return UserStatus.ACCOUNT_CLOSED if closed else UserStatus.ACCOUNT_SUSPENDED
    if disabled:
        return UserStatus.DISABLED
    return UserStatus.EXPIRED if expired else UserStatus.ACTIVE


def _rows(database: BaseDatabaseWrapper, template: str, parameters: list[str]) -> list[tuple[Any, ...]]:
    """Return the rows. Raise Unavailable.

    Clients wait for each other behind a database that makes us wait, so it is then left alone for as long as it took;
    one that refuses at once may be asked at once.
    """
    if not _database.may_ask:
        raise Unavailable(Outage.AWAY.sentence)
    began = _database.clock()
    try:
        return _asked(database, statement(template, database.vendor), parameters)
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
