"""How many bytes an account or a namespace holds in the registry, and how that grew."""

from datetime import date
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_gate
from accounts.api.openapi import operation
from accounts.api.view import ApiView
from namespaces import permissions, usage
from namespaces.usage import DAYS


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    usage = serializers.IntegerField(help_text="Bytes.")


class UsageSerializer(serializers.Serializer[Any]):
    usage = serializers.IntegerField(
        help_text="Bytes, as last measured; a layer that several images share counts once."
    )
    history = DaySerializer(many=True, help_text=f"The measured ones of the last {DAYS} days.")


class AccountUsageSerializer(UsageSerializer):
    shared = serializers.IntegerField(
        help_text="Bytes by which all namespaces together are more than `usage`: layers that they share."
    )


class AccountUsage(ApiView):
    @operation("usage_of_account", answer=AccountUsageSerializer)
    def get(self, request: Request, handle: str) -> Response:
        """Show the usage of the account; the lists of namespaces and of images tell the `usage` of each."""
        account = account_gate.account(self.by, handle)
        history = usage.history(account, since=usage.first_day())
        shared = usage.shared_by_namespaces(account)
        return self.answer(_told(usage.of_account(account), history) | {"shared": shared})


class NamespaceUsage(ApiView):
    @operation("usage_of_namespace", answer=UsageSerializer)
    def get(self, request: Request, handle: str, name: str) -> Response:
        found = permissions.namespace(self.by, handle, name)
        history = usage.history(found.account, since=usage.first_day(), namespace=found)
        return self.answer(_told(found.stored_bytes, history))


def _told(stored_bytes: int, history: list[tuple[date, int]]) -> dict[str, Any]:
    return {"usage": stored_bytes, "history": [{"day": day, "usage": of_day} for day, of_day in history]}
