"""Columns that follow from another of the same row, also when rows are made in bulk."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from namespaces import natural_sort
from namespaces.names import is_technical, technical_stem
from namespaces.search_query import label_start


class ByteOrdered(models.CharField):  # type: ignore[type-arg]
    """Text in the order of its bytes.

    A language's collation looks past dots and dashes, and orders as no cursor of ours would.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        self.db_collation = "C" if connection.vendor == "postgresql" else None
        return super().db_parameters(connection)

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        options.pop("db_collation", None)
        return name, path, arguments, options


class NaturalKey(ByteOrdered):
    """`name`, so written that the database's order is the natural one."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = natural_sort.sort_key(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, key)
        return key


class ValuePrefix(ByteOrdered):
    """How `value` begins, in lower case: what a search looks up by its beginning."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        start = label_start(model_instance.value)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, start)
        return start


class Technical(models.BooleanField):  # type: ignore[type-arg]
    """True for a tag that a tool made to hang something onto a digest."""

    def pre_save(self, model_instance: models.Model, add: bool) -> bool:
        technical = is_technical(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, technical)
        return technical


class Stem(models.CharField):  # type: ignore[type-arg]
    """Of a technical tag the digest that it is about, as it stands in its name; "" for any other."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        stem = technical_stem(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, stem)
        return stem
