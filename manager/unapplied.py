"""Which migrations of this build a database does not record: its code would ask for what is not there."""

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import module_has_submodule

Key = tuple[str, str]  # of a migration: its app and its name


def unapplied(connection: BaseDatabaseWrapper) -> list[Key]:
    """Ask by one short statement: whoever is asked whether it is ready is asked each second."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return sorted(known() - {*cursor.fetchall()})


@cache
def known() -> frozenset[Key]:
    """Return what Django's loader would find, by their names alone: it imports each of them."""
    return frozenset(_known())


def _known() -> Iterator[Key]:
    for app in apps.get_app_configs():
        if app.module and module_has_submodule(app.module, "migrations"):
            folder = import_module(f"{app.name}.migrations").__path__
            for found in pkgutil.iter_modules(folder):
                if not found.ispkg and found.name[0] not in "_~":
                    yield app.label, found.name
