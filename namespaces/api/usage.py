"""How many bytes an account or a namespace holds in the registry, and how that grew."""

from datetime import date
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment
from accounts.api.view import ApiView
from namespaces import permissions, usage
from namespaces.models import Usage
from namespaces.usage import DAYS


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    usage_bytes = serializers.IntegerField()


class UsageSerializer(serializers.Serializer[Any]):
    usage_bytes = serializers.IntegerField(
        help_text="As last measured; a layer that several images share counts once."
    )
    tagged_bytes = serializers.IntegerField(
        help_text="The part of `usage_bytes` that tags reach: with platforms, signatures and the like."
    )
    untagged_bytes = serializers.IntegerField(
        help_text="The rest of `usage_bytes`: no tag leads there, the history alone knows it."
    )
    uncollected_bytes = serializers.IntegerField(
        help_text="Not in `usage_bytes`: deleted, and on the registry’s disk until its garbage collection."
    )
    counted_at = Moment(allow_null=True)
    history = DaySerializer(many=True, help_text=f"The measured ones of the last {DAYS} days.")


class AccountUsageSerializer(UsageSerializer):
    shared_bytes = serializers.IntegerField(
        help_text="How much the namespaces’ sum exceeds `usage_bytes`, because they share layers."
    )


class AccountUsage(ApiView):
    @operation("accounts_usage", answer=AccountUsageSerializer)
    def get(self, request: Request, handle: str) -> Response:
        """Show the usage of the account; the lists of namespaces and of images have the `usage_bytes` of each."""
        account = account_permissions.account(self.by, handle)
        history = usage.history(account, since=usage.first_day())
        shared = usage.shared_by_namespaces(account)
        return self.answer(_usage(usage.newest(account), history) | {"shared_bytes": shared})


class NamespaceUsage(ApiView):
    @operation("namespaces_usage", answer=UsageSerializer)
    def get(self, request: Request, handle: str, name: str) -> Response:
        found = permissions.namespace(self.by, handle, name)
        history = usage.history(found.account, since=usage.first_day(), namespace=found)
        return self.answer(_usage(usage.newest(found.account, found), history))


def _usage(newest: Usage, history: list[tuple[date, int]]) -> dict[str, Any]:
    return {
        "usage_bytes": newest.stored_bytes,
        "tagged_bytes": newest.tagged_bytes,
        "untagged_bytes": newest.untagged_bytes,
        "uncollected_bytes": newest.uncollected_bytes,
        "counted_at": newest.counted_at,
        "history": [{"day": day, "usage_bytes": of_day} for day, of_day in history],
    }
