"""Run inside of a new installation: a row in each table that has none yet, whatever tables there are.

    manage.py shell -c "$(cat tests/releases/fill.py)"

Rows need not make sense together: they are what a migration has to carry over. It ends with an error where a table
stays empty, so that a new model is never left out.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts import audit_chain

AT = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)
ODD = "é \u2028 \\N\t<\x1b"
rows: dict[type[models.Model], models.Model] = {}


# The first that a field is an instance of, and its value in the n-th table.
VALUES: tuple[tuple[type[models.Field], Callable[[int], object]], ...] = (
    (models.DateTimeField, lambda n: AT + timedelta(seconds=n)),
    (models.DateField, lambda _n: AT.date()),
    (models.BooleanField, lambda _n: True),
    (models.DurationField, lambda _n: timedelta(days=1)),
    (models.IntegerField, lambda n: n),
    (models.FloatField, lambda _n: 0.1),
    (models.JSONField, lambda n: {"odd": [n, None, ODD]}),
    (models.BinaryField, lambda _n: b"\x00\xff"),
    (models.UUIDField, lambda n: UUID(int=n)),
    (models.GenericIPAddressField, lambda _n: "192.0.2.7"),
    (models.CharField, lambda n: f"{n} {ODD}"),
    (models.TextField, lambda n: f"{n} {ODD}"),
)


def value(field: models.Field, number: int) -> object:
    if field.choices:
        return field.flatchoices[-1][0]
    if isinstance(field, models.ForeignKey):
        return row(field.related_model)
    found = next(make for kind, make in VALUES if isinstance(field, kind))(number)
    return found[: field.max_length] if isinstance(found, str) else found


def row(model: type[models.Model]) -> models.Model:
    """Return a row of this table, which is made if there is none."""
    if model not in rows:
        found = model._base_manager.first()
        rows[model] = found or made(model)
    return rows[model]


def made(model: type[models.Model]) -> models.Model:
    """Return a new row with a value where there is no default; if that is refused, without the last of its links."""
    wanted = [
        field
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField)
        and field.related_model is not model
        and (isinstance(field, models.BooleanField) or not field.has_default())
    ]
    links = [field for field in wanted if field.null and field.is_relation]
    for count in range(len(links), -1, -1):
        fields = [field for field in wanted if field not in links[count:]]
        one = model(**{field.name: value(field, len(rows) + 1) for field in fields})
        try:
            with transaction.atomic():
                one.save_base(raw=True, force_insert=True)
        except IntegrityError:
            if not count:
                raise
        else:
            return one
    raise AssertionError(model)


assert audit_chain.seal(now=timezone.now() + timedelta(days=1))  # before events that are none
for each in apps.get_models(include_auto_created=True):
    if each._meta.managed and not each._meta.proxy:
        row(each)
print("FILLED", len(rows))  # noqa: T201
