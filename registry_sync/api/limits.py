"""What an account holds, and how much it may."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api.limits import HoldingSerializer, shown
from accounts.api.openapi import operation
from accounts.api.view import ApiView
from registry_sync.limits import OF_ACCOUNT


class LimitsSerializer(serializers.Serializer[Any]):
    namespaces = HoldingSerializer(
        help_text="Deleted ones that had images count: their names stay reserved for the account."
    )
    users = HoldingSerializer()
    grants = HoldingSerializer()
    members = HoldingSerializer()
    invitations = HoldingSerializer(help_text="Those that are open.")
    retention_rules = HoldingSerializer()


class Limits(ApiView):
    @operation("accounts_limits", answer=LimitsSerializer)
    def get(self, request: Request, handle: str) -> Response:
        return self.answer(shown(OF_ACCOUNT, permissions.account(self.by, handle)))
