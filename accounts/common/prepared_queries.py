"""Querysets that Django compiles once. To write a statement takes it five times as long as to run one.

    @prepared
    def _tags(*, image: int, names: list[str]) -> QuerySet[Tag]:
        return Tag.objects.filter(image=image, name__in=names)

    rows = _tags(image=image.pk, names=["1.0", "1.1"])  # a list

What the function does may depend on nothing but its positional arguments, which values it is given, and how many items
its lists have: it is called once for each, and given stand-ins for the values. These go to the driver as they are:
keys, text and moments, not model objects or None.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import update_wrapper
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

P = ParamSpec("P")
T = TypeVar("T")
LONGEST_LIST: Final = 64  # longer ones are compiled each time, since they take most of it themselves


class Prepared(Generic[P, T]):
    """Lists the rows of the queryset that `build` makes of its keywords; positional arguments it gets as they are."""

    def __init__(self, build: Callable[P, QuerySet[Any, T]]) -> None:
        self.build = build
        self._kept = threading.local()
        update_wrapper(self, build)

    def __call__(self, *chosen: P.args, **values: P.kwargs) -> list[T]:
        if any(isinstance(value, list) and len(value) > LONGEST_LIST for value in values.values()):
            return list(self.build(*chosen, **values))
        return self.statement(None, *chosen, **values).rows(values)

    def statement(self, most: int | None, *chosen: P.args, **values: P.kwargs) -> "Statement[T]":
        """Return what lists at most so many of the rows, also for other values of the same names."""
        database = connections["default"]
        if getattr(self._kept, "database", None) is not database:
            self._kept.database, self._kept.statements = database, {}
        lengths = tuple(_padded(len(value)) for value in values.values() if isinstance(value, list))
        key = most, chosen, tuple(values), lengths
        if key not in self._kept.statements:
            self._kept.statements[key] = Statement(
                lambda **places: self.build(*chosen, **places)[:most],
                values,
                database,
            )
        statement: Statement[T] = self._kept.statements[key]
        return statement


prepared: Final = Prepared  # as a decorator


class _Parameter(Expression):
    """Stands for a value of which only its place is known."""

    def __init__(self, name: str, index: int | None = None) -> None:
        super().__init__()
        self.name, self.index = name, index

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        return "%s", [self]

    def __str__(self) -> str:
        # Django prepares the items of a list for a relation, but a relation's key it leaves to the driver.
        raise TypeError(f"{self.name}: write `relation__key__in`, not `relation__in`")

    def value(self, values: dict[str, Any]) -> object:
        """Return its value. A list is padded with its last item, which changes no `IN` and no `OR`."""
        value = values[self.name]
        return value if self.index is None else value[min(self.index, len(value) - 1)]


class _Compiler(SQLCompiler):
    """Has compiled already. `parameters`: those of this run."""

    def __init__(self, query: Query, connection: BaseDatabaseWrapper) -> None:
        super().__init__(query, connection, connection.alias)
        self.text: str
        self.places: tuple[object, ...]
        self.text, self.places = super().as_sql()
        self.parameters: tuple[object, ...] = ()

    def as_sql(self, *_limits: Any, **_aliases: Any) -> tuple[str, Any]:
        return self.text, self.parameters


class _CompiledQuery(Query):
    kept_compiler: _Compiler

    def get_compiler(self, *_database: Any, **_options: Any) -> _Compiler:
        return self.kept_compiler


class Statement(Generic[T]):
    """One thread's, since a compiler belongs to a connection."""

    def __init__(
        self, build: Callable[..., QuerySet[Any, T]], values: dict[str, Any], database: BaseDatabaseWrapper
    ) -> None:
        self._queryset = build(**{name: _stand_in(name, value) for name, value in values.items()})
        try:
            self._compiler = _Compiler(self._queryset.query, database)
        except EmptyResultSet:  # as `IN` with nothing in it
            self._queryset = self._queryset.none()
            return
        query = cast("_CompiledQuery", self._queryset.query)
        query.__class__ = _CompiledQuery  # as Query.chain() does
        query.kept_compiler = self._compiler
        self._stored = database.ops.adapt_datetimefield_value

    @property
    def order(self) -> list[str]:
        """As for `order_by`."""
        return list(map(str, self._queryset.query.order_by))

    def rows(self, values: dict[str, Any]) -> list[T]:
        if self._queryset.query.is_empty():
            return []
        self._compiler.parameters = tuple(
            self._as_stored(place.value(values)) if isinstance(place, _Parameter) else place
            for place in self._compiler.places
        )
        return list(self._queryset.all())

    def _as_stored(self, value: object) -> object:
        return self._stored(value) if isinstance(value, datetime) else value


def _stand_in(name: str, value: object) -> Any:
    if isinstance(value, list):
        return [_Parameter(name, index) for index in range(_padded(len(value)))]
    return _Parameter(name)


def _padded(length: int) -> int:
    """Return the next power of two, so that there are few statements."""
    return 1 << (length - 1).bit_length() if length else 0
