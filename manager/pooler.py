"""Refuses to work through a connection pooler that the settings do not name.

One that gives each transaction another connection loses what is prepared, and mixes what cursors read: a worker
could take the rows of another's query for its own. It also drops our time limits, and by that it is known.
"""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from accounts.common.database_errors import Outage, UnknownPooler

_ASKED = "SELECT source FROM pg_settings WHERE name = 'statement_timeout'"


def watch() -> None:
    connection_created.connect(_refuse_unknown, dispatch_uid="manager.pooler")


def _refuse_unknown(connection: BaseDatabaseWrapper, **_more: Any) -> None:
    if connection.vendor != "postgresql" or settings.DATABASE_POOLER != "none":
        return
    # Past Django, which would count this among the statements of whoever asks first.
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        (source,) = cursor.execute(_ASKED).fetchone()
    if source != "client":
        connection.close()
        raise UnknownPooler(f"{Outage.POOLER.sentence} It dropped statement_timeout.")
