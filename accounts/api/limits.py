"""What somebody holds, and how much they may."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from accounts.limits import Holder, Holding, Limit, holdings


class HoldingSerializer(serializers.Serializer[Any]):
    held = serializers.IntegerField()
    most = serializers.IntegerField(allow_null=True, help_text="An operator’s setting; null: any number.")


def shown(limits: Iterable[Limit[Holder]], holder: Holder) -> dict[str, Holding]:
    return {each.key: each for each in holdings(limits, holder)}
