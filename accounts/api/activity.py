"""Who did what in an account."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, SearchQuery
from accounts.api.view import ApiView
from accounts.audit_actions import AUDIT_KINDS


class ActivitySerializer(serializers.Serializer[Any]):
    occurred_at = Moment(source="at")
    actor = serializers.CharField()
    client_ip = serializers.CharField(source="address", allow_blank=True)
    action = serializers.CharField(help_text="As in `grant.given`.")
    object_kind = serializers.CharField()
    object_id = serializers.CharField(allow_blank=True)
    object_label = serializers.CharField(source="object")
    before = serializers.DictField(child=serializers.JSONField())
    after = serializers.DictField(child=serializers.JSONField())


class ActivityQuery(SearchQuery):
    kind = serializers.ChoiceField(list(AUDIT_KINDS), default="", allow_blank=True)
    since = serializers.DateField(default=None, help_text="From this day on.")
    until = serializers.DateField(default=None, help_text="Until the end of this day.")


class Activity(ApiView):
    @operation("activity_list", answer=ActivitySerializer, pages=True, query=ActivityQuery)
    def get(self, request: Request, handle: str) -> Response:
        account = permissions.account(self.by, handle)
        asked = {name: self.query[name] for name in ("search", "kind", "since", "until")}
        return self.page(selectors.activity_of(account, **asked))
