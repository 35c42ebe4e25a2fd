"""All that a token request needs to know, in one prepared statement, however many repositories are asked for.

Raw SQL on purpose: building the same query through the ORM costs three times the query itself.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.errors import Unavailable
from accounts.outage import Outage, outage_of
from namespaces.access import Facts, Grant, Level, Standing, Through
from namespaces.names import split

_NAMESPACES = (
    """(namespaces_namespace n JOIN accounts_account o ON o.id = n.account_id AND o.closed_at IS NULL)"""
)
_USER = """
SELECT u.id, u.username, u.disabled_at IS NOT NULL, u.expires_at IS NOT NULL AND u.expires_at <= {now},
       a.closed_at IS NOT NULL, n.name, n.public, g.image_name, g.level
FROM accounts_secret s
JOIN accounts_registryuser u ON u.id = s.user_id
JOIN accounts_account a ON a.id = u.account_id
LEFT JOIN {namespaces} ON n.name {any}
LEFT JOIN namespaces_grant g ON g.user_id = u.id AND g.namespace_id = n.id AND g.image_name {any}
WHERE s.digest {any} AND (s.expires_at IS NULL OR s.expires_at > {now})
"""
_ANONYMOUS = "SELECT n.name, n.public FROM {namespaces} WHERE n.name {any}"
_LISTS = {"postgresql": "= ANY(%s)", "sqlite": "IN (SELECT value FROM json_each(%s))"}


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    standing: Standing


class Known:
    """The facts about the repositories of one request, for the one who asks."""

    def __init__(
        self, user: User | None, public: dict[str, bool], grants: dict[tuple[str, str], int]
    ) -> None:
        self.user = user
        self._public = public
        self._grants = grants

    def of(self, repository: str) -> Facts:
        namespace, image = split(repository)
        if namespace not in self._public:
            return Facts(standing=self._standing, namespace_exists=False)
        roads = []
        if level := self._grants.get((namespace, image)):
            roads.append(Grant(Through.IMAGE, Level(level)))
        if level := self._grants.get((namespace, "")):
            roads.append(Grant(Through.NAMESPACE, Level(level)))
        return Facts(standing=self._standing, public=self._public[namespace], grants=tuple(roads))

    @property
    def _standing(self) -> Standing:
        return self.user.standing if self.user else Standing.ANONYMOUS


def load(*, digests: list[str], repositories: list[str], now: datetime) -> Known | None:
    """None when no live secret has one of these digests. Raises Unavailable without a database."""
    database = connections["default"]  # looked up once: the usual proxy looks it up at each touch
    namespaces, images = _parts(repositories)
    moment = database.ops.adapt_datetimefield_value(now)
    lists = [_list(database, each) for each in (namespaces, ["", *images], digests)]
    rows = _rows(database, _USER, [moment, *lists, moment])
    if not rows:
        return None
    identity, username, disabled, expired, closed = rows[0][:5]
    user = User(identity, username, _standing(disabled=disabled, expired=expired, closed=closed))
    grants = {(row[5], row[7]): row[8] for row in rows if row[8] is not None}
    return Known(user, {row[5]: bool(row[6]) for row in rows if row[5] is not None}, grants)


def load_public(*, repositories: list[str]) -> Known:
    """What anybody may know. Raises Unavailable without a database."""
    database = connections["default"]
    namespaces, _images = _parts(repositories)
    rows = _rows(database, _ANONYMOUS, [_list(database, namespaces)])
    return Known(None, {name: bool(public) for name, public in rows}, {})


def _standing(*, disabled: bool, expired: bool, closed: bool) -> Standing:
    if closed:
        return Standing.ACCOUNT_CLOSED
    if disabled:
        return Standing.DISABLED
    return Standing.EXPIRED if expired else Standing.ACTIVE


def _parts(repositories: list[str]) -> tuple[list[str], list[str]]:
    pairs = [split(repository) for repository in repositories]
    return sorted({namespace for namespace, _image in pairs}), sorted({image for _namespace, image in pairs})


def _list(database: BaseDatabaseWrapper, values: list[str]) -> Any:
    """A list as one parameter, so that the statement's text, and its plan, never change."""
    return values if database.vendor == "postgresql" else json.dumps(values)


@cache
def _statement(template: str, vendor: str) -> str:
    return template.format(namespaces=_NAMESPACES, any=_LISTS[vendor], now="%s")


def _rows(database: BaseDatabaseWrapper, template: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Tries once more on a fresh connection: the old one may have died with a restarted server. What waited in vain
    for a lock, or took too long, is not begun again: clients wait for each other behind it."""
    text = _statement(template, database.vendor)
    try:
        return _run(database, text, parameters)
    except Error as error:
        database.close()
        if outage_of(error) is Outage.BUSY:
            raise Unavailable(Outage.BUSY.sentence) from error
    try:
        return _run(database, text, parameters)
    except Error as error:
        database.close()
        raise Unavailable("The panel's database does not answer.") from error


def _run(database: BaseDatabaseWrapper, text: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(text, parameters)
        return list(cursor.fetchall())
