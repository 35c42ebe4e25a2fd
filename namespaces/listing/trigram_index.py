"""The index that finds a piece of a tag's name, on PostgreSQL; SQLite reads one image's names, which is quick."""

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# On UPPER(name), because that is what `icontains` asks.
MAKE = (
    "SET LOCAL statement_timeout = 0",  # what pages may take is not what a million rows take
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX IF NOT EXISTS tag_by_piece_of_name ON namespaces_tag USING gin (UPPER(name) gin_trgm_ops)",
)
DROP = "DROP INDEX IF EXISTS tag_by_piece_of_name"


def make_index(connection: BaseDatabaseWrapper) -> str:
    """Make the index. Return "" when it is there or needless; otherwise why it could not be made.

    Nothing depends on it but speed.
    """
    if connection.vendor != "postgresql":
        return ""
    try:
        with transaction.atomic(connection.alias), connection.cursor() as cursor:
            for statement in MAKE:
                cursor.execute(statement)
    except DatabaseError as error:
        return str(error).strip()
    return ""
