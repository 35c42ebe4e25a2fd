"""What happened in an account."""

from typing import Any

from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from namespaces.activity import export
from namespaces.activity.entries import entries_of
from namespaces.activity.sources import KINDS, ActivityFilter, sources

_FILTERS = ("search", "kind", "who", "since", "until")


class ActivitySerializer(serializers.Serializer[Any]):
    occurred_at = Moment(source="at", help_text="Of pulls and denied requests: the last time.")
    actor = serializers.CharField(
        allow_blank=True,
        help_text="A person’s email address, `system`, or, of a client, a username; empty for nobody.",
    )
    client_ip = serializers.CharField(source="address", allow_blank=True)
    client = serializers.CharField(allow_blank=True)
    action = serializers.CharField(
        help_text="As in `grant.given`; of clients `client.pushed`, `client.deleted`, `client.pulled` and "
        "`client.denied`."
    )
    object_kind = serializers.CharField()
    object_id = serializers.CharField(allow_blank=True)
    object_label = serializers.CharField(source="object", allow_blank=True)
    count = serializers.IntegerField(
        help_text="How often; pulls and denied requests of a kind are one entry."
    )
    before = serializers.DictField(child=serializers.JSONField())
    after = serializers.DictField(child=serializers.JSONField())


class _Filters(Strict):
    search = serializers.CharField(default="", allow_blank=True, max_length=SEARCH_MAX)
    kind = serializers.ChoiceField(
        list(KINDS),
        default="",
        allow_blank=True,
        help_text="Empty: every change by people. `requests`: `pushes`, `pulls` and `denials` by clients. `all`: both.",
    )
    who = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=SEARCH_MAX,
        help_text="A part of a person’s email address, or of a user’s name or description.",
    )
    since = serializers.DateField(default=None, help_text="From this day on.")
    until = serializers.DateField(default=None, help_text="Until the end of this day.")


class ActivityQuery(PageQuery, _Filters): ...


class DownloadQuery(_Filters):
    format = serializers.ChoiceField(
        [each.value for each in export.Format], help_text="`csv`, or `jsonl`: one JSON object a line."
    )


class Activity(ApiView):
    @operation("activity_list", answer=ActivitySerializer, pages=True, query=ActivityQuery)
    def get(self, request: Request, handle: str) -> Response:
        account = permissions.account(self.by, handle)
        return self.page(*sources(account, _asked(self.query)), shown=entries_of)


class _AnyAccept(BaseContentNegotiation):
    """The file is what the query says. Errors are JSON."""

    def select_renderer(
        self, _request: Request, renderers: Any, _format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class Download(ApiView):
    content_negotiation_class = _AnyAccept

    @operation("activity_download", query=DownloadQuery, files=tuple(export.MEDIA_TYPES.values()))
    def get(self, request: Request, handle: str) -> StreamingHttpResponse:
        """Download all of it, filtered as the list. In CSV, what would be a formula begins with an apostrophe."""
        account = permissions.account(self.by, handle)
        return export.response(account, _asked(self.query), export.Format(self.query["format"]))


def _asked(query: dict[str, Any]) -> ActivityFilter:
    return ActivityFilter(**{name: query[name] for name in _FILTERS})
