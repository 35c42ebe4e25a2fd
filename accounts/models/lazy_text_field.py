import json
from typing import Any

from django.db import models

from accounts.common.lazy_text import LazyText, from_json, to_json

LENGTH_MAX = 1000  # characters; a longer sentence is kept in English, cut


class LazyTextField(models.TextField):  # type: ignore[type-arg]
    """A sentence that each reader gets in their own language; programs, which do not translate it, in English.

    A LazyText with values is stored as JSON and comes back as one. All else is stored as it is.
    """

    def get_prep_value(self, value: Any) -> Any:
        kept = to_json(value)
        if isinstance(kept, list) and len(value) <= LENGTH_MAX:
            return json.dumps(kept, ensure_ascii=False)
        return None if value is None else str(value)[:LENGTH_MAX]

    def from_db_value(self, value: str | None, *_database: object) -> str | None:
        return _read(value) if value and value.startswith('["') else value

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """To migrations it is a TextField, which it is in the database."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", list(arguments), dict(options)

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, LazyText) else super().to_python(value)


def _read(stored: str) -> str:
    try:
        text = from_json(json.loads(stored))
    except (ValueError, TypeError, AttributeError, LookupError):
        return stored
    return text if isinstance(text, str) else stored
