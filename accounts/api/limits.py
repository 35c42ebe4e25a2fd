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


class LimitsSerializer(serializers.Serializer[Any]):
    """Of an account; what is counted is in all rooms (registry_sync/limits.py)."""

    namespaces = HoldingSerializer(
        help_text="Deleted ones that had images count: their names stay reserved for the account."
    )
    users = HoldingSerializer()
    grants = HoldingSerializer()
    members = HoldingSerializer()
    invitations = HoldingSerializer(help_text="Those that are open.")
    retention_rules = HoldingSerializer()


def shown(limits: Iterable[Limit[Holder]], holder: Holder) -> dict[str, Holding]:
    return {each.key: each for each in holdings(limits, holder)}
