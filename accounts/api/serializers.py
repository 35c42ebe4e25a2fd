"""What all bodies, queries and answers of the API share."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts.common import timestamps
from accounts.names import EXPIRY_DAYS
from accounts.roles import Role

SEARCH_MAX = 200
ROLES = [role.value for role in Role]


class Strict(serializers.Serializer[Any]):
    """Input. A name it does not know is an error, never ignored: a typo must not look like success."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({name[:100]: [_("Unknown name.")] for name in unknown})
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """ISO 8601, out always as UTC with Z; in without a zone counts as UTC."""

    def __init__(self, **more: Any) -> None:
        super().__init__(default_timezone=UTC, **more)


class Ending(Moment):
    """Also a day as 2027-05-05, which lasts to its end: 24:00 in the panel's time zone."""

    def __init__(self, **more: Any) -> None:
        text = "A moment, or a day (2027-05-05): until 24:00 of it in the panel’s time zone. Null: never."
        super().__init__(allow_null=True, **({"help_text": text} | more))

    def to_internal_value(self, value: Any) -> datetime:
        try:
            day = date.fromisoformat(value)
        except (TypeError, ValueError):
            moment: datetime = super().to_internal_value(value)
            return moment
        return timestamps.end_of(day, timezone.get_default_timezone())


class Expiry(Ending):
    """Of what is made: as on the pages, it ends unless somebody says that it shall not."""

    def __init__(self) -> None:
        super().__init__(default=_usual_expiry)
        self.help_text = f"{self.help_text} Not given: in {EXPIRY_DAYS} days."


def _usual_expiry() -> datetime:
    return timezone.now() + timedelta(days=EXPIRY_DAYS)


class NoQuery(Strict):
    pass


class PageQuery(Strict):
    page = serializers.CharField(
        default="", allow_blank=True, max_length=1000, help_text="As given by `next` and `previous`."
    )


class SearchQuery(PageQuery):
    search = serializers.CharField(default="", allow_blank=True, max_length=SEARCH_MAX)


class ErrorDetailSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A stable word, as in `invalid`, `not_found`, `conflict`.")
    message = serializers.CharField(help_text="All of it, for people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), help_text="Sentences by field."
    )


class ErrorSerializer(serializers.Serializer[Any]):
    error = ErrorDetailSerializer()
