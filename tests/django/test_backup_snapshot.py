"""A backup may take hours, and whoever takes it from the pipe may be slow."""

import pytest
from django.db import connection

from manager.backup.snapshot import snapshot

LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


def limits() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_settings WHERE name = ANY(%s)", [list(LIMITS)])
        return {setting for (setting,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has none")
def test_no_limit_of_the_server_ends_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '1min'")
    try:
        with snapshot(connection):
            assert limits() == {"0"}
        assert "60000" in limits()
    finally:
        connection.close()  # and with it what was set
