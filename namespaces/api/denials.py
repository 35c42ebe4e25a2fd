"""Requests that the token server denied."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, PageQuery
from accounts.api.view import ApiView
from accounts.selectors import denials_of
from namespaces.denial_recheck import with_current_decision


class DenialSerializer(serializers.Serializer[Any]):
    repository = serializers.CharField(
        allow_blank=True, help_text="Empty, as `action`: the user was denied whatever it requested."
    )
    action = serializers.CharField(
        allow_blank=True,
        help_text="`pull`, `push`, `delete`; `mount`: a push to `repository` was allowed, and may not reuse layers of "
        "`mount_sources`; `list`: of the whole registry.",
    )
    mount_sources = serializers.ListField(
        source="source_names",
        child=serializers.CharField(),
        help_text="Other images whose layers the same push was not allowed to reuse; at most 20.",
    )
    reason = serializers.CharField()
    remedy = serializers.CharField(help_text="What would change it.")
    denial_count = serializers.IntegerField(source="count")
    first_denied_at = Moment(source="first_at")
    last_denied_at = Moment(source="last_at")
    client_ip = serializers.CharField(source="address", allow_blank=True)
    client = serializers.CharField(allow_blank=True)
    allowed_now = serializers.BooleanField(help_text="The same request would be allowed now.")


class UserDenials(ApiView):
    @operation("users_denials", answer=DenialSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, username: str) -> Response:
        """List the user’s denied requests, and why; one row for each image and action."""
        return self.page(denials_of(permissions.user(self.by, handle, username)), shown=with_current_decision)
