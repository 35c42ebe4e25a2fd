from typing import Any

from django.db import models

from accounts.common.user_agent import short


class ClientField(models.CharField):  # type: ignore[type-arg]
    """What a client calls itself, always in its short form: so it is written, and so what is older is read."""

    def from_db_value(self, value: str | None, *_how: Any) -> str | None:
        return short(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(short(value) if isinstance(value, str) else value)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """To migrations it is a CharField, which it is in the database: no table is written anew for it."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", list(arguments), dict(options)
