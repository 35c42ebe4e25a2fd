"""The schema of the database in a canonical form: columns, indexes, constraints, triggers and functions.

    python manage.py shell -c 'from tests import schema; print(*schema.lines(), sep="\\n")'

Sorted, and without the names that Django or the database made up: two ways to the same schema print the same.
"""

import re
from collections.abc import Iterator

from django.db import connection

# Such a name begins with the table's; one that a model gives does not.
_MADE_UP = re.compile(
    r"\b(?:accounts|namespaces|registry_sync)_\w+_(?:[0-9a-f]{8}\w*|fk_\w+|pkey|key|check|seq|like|uniq)\b"
)
_POSTGRESQL = {
    "column": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid), l.collname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "constraint": """
        SELECT conrelid::regclass, conname, contype, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
    """,
    "index": """
        SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace
    """,
    "trigger": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "function": """
        SELECT pg_get_functiondef(p.oid)
        FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
        WHERE p.pronamespace = 'public'::regnamespace AND d.objid IS NULL
    """,
}


def lines() -> list[str]:
    found = _sqlite() if connection.vendor == "sqlite" else _postgresql()
    return sorted(_MADE_UP.sub("…", re.sub(r"\s+", " ", line)).replace('"', "") for line in found)


def _rows(query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _postgresql() -> Iterator[str]:
    for kind, query in _POSTGRESQL.items():
        for row in _rows(query):
            yield f"{kind} {' '.join(map(str, row))}"


def _sqlite() -> Iterator[str]:
    for kind, table, sql in _rows("SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
        text = str(sql)
        if kind == "table":
            for part in _parts(text[text.index("(") + 1 : text.rindex(")")]):
                yield f"column {table} {part.strip()}"
        else:
            yield f"{kind} {text}"


def _parts(body: str) -> Iterator[str]:
    """What stands between the commas that are in no parentheses."""
    depth, begin = 0, 0
    for at, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            yield body[begin:at]
            begin = at + 1
    yield body[begin:]
