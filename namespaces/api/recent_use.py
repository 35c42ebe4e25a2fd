"""What a user pulled and pushed lately."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment
from accounts.api.view import ApiView
from namespaces.recent_use import SHOWN_MAX, UseKind, recent_uses


class RecentUseSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([kind.value for kind in UseKind])
    repository = serializers.CharField(source="image.repository")
    tag = serializers.CharField(allow_blank=True, help_text="Empty: the digest was pulled directly.")
    digest = serializers.CharField(
        allow_blank=True, help_text="What was pushed or removed, or pulled directly."
    )
    last_at = Moment(source="at", help_text="The last time that the user did this with this tag.")
    pull_count = serializers.IntegerField(source="count", help_text="0 where it is no pull.")
    client_ip = serializers.CharField(source="address", allow_blank=True, help_text="Known of pulls alone.")
    client = serializers.CharField(allow_blank=True, help_text="Known of pulls alone.")


class RecentUsesSerializer(serializers.Serializer[Any]):
    results = RecentUseSerializer(many=True, help_text=f"At most {SHOWN_MAX}, the latest first.")


class UserRecentUse(ApiView):
    @operation("users_recent_use", answer=RecentUsesSerializer)
    def get(self, request: Request, handle: str, username: str) -> Response:
        """Say what the user pulled, pushed and removed lately, when, and from where."""
        return self.answer({"results": recent_uses(permissions.user(self.by, handle, username))})
