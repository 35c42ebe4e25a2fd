"""Columns that follow from another of the same row, also when rows are made in bulk."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from namespaces import natural
from namespaces.names import is_technical


class NaturalKey(models.CharField):  # type: ignore[type-arg]
    """`name`, so written that the database's order is the natural one."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        # A language's collation looks past dots and dashes, and orders as no cursor of ours would.
        self.db_collation = "C" if connection.vendor == "postgresql" else None
        return super().db_parameters(connection)

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        options.pop("db_collation", None)
        return name, path, arguments, options

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = natural.sort_key(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, key)
        return key


class Technical(models.BooleanField):  # type: ignore[type-arg]
    """True for a tag that a tool made to hang something onto a digest."""

    def pre_save(self, model_instance: models.Model, add: bool) -> bool:
        technical = is_technical(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, technical)
        return technical
