"""Columns that follow from another of the same row, also when rows are made in bulk."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from namespaces import natural_sort
from namespaces.image_description import image_description
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


class Derived(models.Field):  # type: ignore[type-arg]
    """A column that holds `derive` of the text in the column `source`."""

    source = "name"

    @staticmethod
    def derive(text: str, /) -> str | bool:
        raise NotImplementedError

    def pre_save(self, model_instance: models.Model, add: bool) -> str | bool:
        value = self.derive(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value


class NaturalKey(Derived, ByteOrdered):
    """`name`, so written that the database's order is the natural one."""

    derive = staticmethod(natural_sort.sort_key)


class ValuePrefix(Derived, ByteOrdered):
    """How `value` begins, in lower case: what a search looks up by its beginning."""

    source = "value"
    derive = staticmethod(label_start)


class Description(Derived, models.CharField):  # type: ignore[type-arg]
    """What an image says of itself in `details`, "" for nothing."""

    source = "details"
    derive = staticmethod(image_description)


class Technical(Derived, models.BooleanField):  # type: ignore[type-arg]
    """True for a tag that a tool made to hang something onto a digest."""

    derive = staticmethod(is_technical)


class Stem(Derived, models.CharField):  # type: ignore[type-arg]
    """Of a technical tag the digest that it is about, as it stands in its name; "" for any other."""

    derive = staticmethod(technical_stem)
