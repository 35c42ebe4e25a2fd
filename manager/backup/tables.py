"""Which tables a backup holds, and of what kind their columns are."""

# ruff: noqa: SLF001 (Model._meta is Django's API for just this)

from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any, Final

from django.apps.registry import Apps
from django.db import models
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import StateApps

# What is worthless or dangerous when it comes back. Sessions and links work like passwords; what waits to be mailed was
# mailed since; a lease would say that a worker of then had crashed; and the registry's list is to be read anew first.
LEFT_OUT: Final = frozenset({
    "account_emailconfirmation", "accounts_operatorlink", "accounts_outgoingmail", "django_session",
    "namespaces_catalogread", "registry_sync_lease", "usersessions_usersession",
})  # fmt: skip

_KINDS: Final = {
    **dict.fromkeys(("CharField", "TextField", "GenericIPAddressField"), "text"),
    **dict.fromkeys(("AutoField", "BigAutoField", "IntegerField", "BigIntegerField", "PositiveIntegerField",
                     "PositiveSmallIntegerField", "PositiveBigIntegerField", "SmallIntegerField"), "int"),
    "BooleanField": "bool", "DateTimeField": "moment", "DateField": "day", "JSONField": "json", "BinaryField": "bytes",
    "UUIDField": "uuid",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """`columns`: (name, kind) in their order. `key`: the primary key's column."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: str
    model: type[models.Model] = field(compare=False)
    fields: tuple[Any, ...] = field(compare=False)

    @property
    def counts_up(self) -> bool:
        """Whether the database gives its keys."""
        return isinstance(self.model._meta.auto_field, models.AutoField)

    @property
    def key_is_text(self) -> bool:
        return dict(self.columns)[self.key] == "text"


def tables(apps: Apps | StateApps) -> list[Table]:
    """Return all but LEFT_OUT; a table comes after those that it refers to."""
    found = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in LEFT_OUT
    }
    order = TopologicalSorter[str]()
    for name, model in sorted(found.items()):
        order.add(name, *sorted(_parents(model) - {name}))
    return [_table(found[name]) for name in order.static_order() if name in found]


def all_names(apps: Apps) -> set[str]:
    """Return the names of all tables of ours, also of those in LEFT_OUT."""
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    return {*names, MigrationRecorder.Migration._meta.db_table}


def _parents(model: type[models.Model]) -> set[str]:
    return {
        each.remote_field.model._meta.db_table
        for each in model._meta.local_concrete_fields
        if each.remote_field
    }


def _table(model: type[models.Model]) -> Table:
    fields: tuple[Any, ...] = tuple(model._meta.local_concrete_fields)
    return Table(
        name=model._meta.db_table,
        columns=tuple((each.column, _kind(each)) for each in fields),
        key=str(model._meta.pk.column),
        model=model,
        fields=fields,
    )


def _kind(column: Any) -> str:
    while column.remote_field:
        column = column.target_field
    return _KINDS[column.get_internal_type()]
