"""A backup holds every table, but for those that are named as left out; so a new model is in it."""

import pytest
from django.apps import apps
from django.db import connection

from manager.backup.tables import LEFT_OUT, all_names, tables

pytestmark = pytest.mark.django_db


def test_every_table_is_in_a_backup_or_named_as_left_out() -> None:
    held = [table.name for table in tables(apps)]
    assert len(held) == len(set(held))
    assert sorted([*held, *LEFT_OUT, "django_migrations"]) == sorted(connection.introspection.table_names())


def test_every_table_is_ours() -> None:
    assert all_names(apps) == set(connection.introspection.table_names())


def test_a_table_comes_after_those_it_refers_to() -> None:
    found = tables(apps)
    order = {table.name: at for at, table in enumerate(found)}
    for table in found:
        for column in table.fields:
            if column.remote_field:
                parent = column.remote_field.model._meta.db_table
                assert parent == table.name or order[parent] < order[table.name]
