"""What somebody holds, and how much they may."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from accounts.limits import Holder, Holding, Limit, holdings


class HoldingSerializer(serializers.Serializer[Any]):
    used = serializers.IntegerField(source="held")
    limit = serializers.IntegerField(
        source="most", allow_null=True, help_text="Set by the operator; null: unlimited."
    )


def shown(limits: Iterable[Limit[Holder]], holder: Holder) -> dict[str, Holding]:
    return {each.key: each for each in holdings(limits, holder)}
