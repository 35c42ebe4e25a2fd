"""What `tests.schema` prints of a migrated database, so that it can be trusted to show a difference."""

import pytest
from django.db import connection

from tests import schema

pytestmark = pytest.mark.django_db


def shown(*words: str) -> list[str]:
    return [line for line in schema.lines() if all(word in line for word in words)]


def test_columns_indexes_and_constraints_are_shown_without_names_that_nobody_gave() -> None:
    assert shown("column namespaces_manifest body_zlib")
    assert shown("index", "tag_by_push", "pushed_at DESC")
    assert shown("grant_level", "CHECK")
    assert shown("namespaces_tag ", "image_id", "REFERENCES namespaces_image")
    assert not shown("accounts_member_account_id_")


def test_what_migrations_add_by_hand_is_shown() -> None:
    triggers = {"audit_no_update", "audit_no_delete", "audit_seal_no_update", "audit_seal_no_delete"}
    if connection.vendor == "postgresql":
        assert shown("function", "audit_append_only")
        triggers = {"audit_append_only", "audit_no_truncate"}
    found = " ".join(line.lower() for line in schema.lines() if line.startswith("trigger"))
    assert {name for name in triggers if name in found} == triggers
