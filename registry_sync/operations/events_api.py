"""What the registry reported, what it did not report, and what nobody owns: for operators."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, PageQuery, Strict
from accounts.api.view import ApiView
from namespaces.api.namespaces import NamespaceSerializer
from registry_sync import selectors
from registry_sync.operations import permissions, service

GROUPS = 100


class EventSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    event_id = serializers.CharField(help_text="The registry’s.")
    received_at = Moment()
    occurred_at = Moment(source="at", allow_null=True, help_text="By the registry’s clock.")
    action = serializers.CharField()
    repository = serializers.CharField()
    tag = serializers.CharField()
    digest = serializers.CharField()
    actor = serializers.CharField()
    client_ip = serializers.CharField(source="address")
    applied_at = Moment(allow_null=True)
    due_at = Moment(allow_null=True, help_text="When it is tried next; null: applied, or given up.")
    attempt_count = serializers.IntegerField(source="attempts")
    problem = serializers.CharField()


class QuarantinedWorkSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    account = serializers.CharField(source="account.handle", default=None, allow_null=True)
    repository = serializers.CharField(help_text="Empty: all that the account has.")
    item = serializers.CharField(help_text="A digest, or what was to be done; empty: all of the repository.")
    crash_count = serializers.IntegerField(help_text="How many workers crashed on it.")
    quarantined_at = Moment()


class EventQuery(PageQuery):
    state = serializers.ChoiceField(list(selectors.EVENT_STATES), required=False)


class RetriedSerializer(serializers.Serializer[Any]):
    retried_count = serializers.IntegerField()


class DifferenceSerializer(serializers.Serializer[Any]):
    run_id = serializers.IntegerField()
    found_at = Moment()
    repository = serializers.CharField()
    tag = serializers.CharField()
    old_digest = serializers.CharField(source="old", help_text="The digest the panel had; empty: none.")
    new_digest = serializers.CharField(source="new", help_text="The digest in the registry; empty: none.")
    rolled_back = serializers.BooleanField(help_text="The tag had pointed at `new_digest` before.")


class UnassignedNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="first", help_text="The first part of the repositories’ names.")
    repository_count = serializers.IntegerField(source="repositories")
    first_seen_at = Moment(source="since")


class UnassignedSerializer(serializers.Serializer[Any]):
    results = UnassignedNameSerializer(many=True)
    next_after = serializers.CharField(help_text="For `?after=`; empty at the end.")


class AfterQuery(Strict):
    after = serializers.CharField(default="", allow_blank=True, max_length=255)


class AssignBody(Strict):
    account = serializers.CharField(help_text="The handle of an account.")


class ReservedNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    account = serializers.CharField(
        source="account.handle",
        default=None,
        allow_null=True,
        help_text="The account that had it and can reclaim it; null: it was in the registry before any account.",
    )
    tokens_expire_at = Moment(
        source="until",
        allow_null=True,
        help_text="Until then tokens for the deleted namespace may still be valid.",
    )


class ReservedNameDeleteBody(Strict):
    confirmation = serializers.CharField(help_text="The name again, as confirmation.")


class Events(ApiView):
    @operation("events_list", answer=EventSerializer, pages=True, query=EventQuery)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        return self.page(selectors.events(self.query.get("state", "")))


class RetryEvents(ApiView):
    @operation("events_retry", answer=RetriedSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Retry all events that failed."""
        account_permissions.operator(self.by)
        return self.answer({"retried_count": service.retry_failed_events(by=self.by)})


class RetryEvent(ApiView):
    @operation("events_retry_one", status=204)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        service.retry_event(by=self.by, event=permissions.event(self.by, id))
        return self.answer()


class Quarantine(ApiView):
    @operation("quarantine_list", answer=QuarantinedWorkSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """List work that is quarantined because workers crashed on it.

        It is tried again after a day, a whole account after an hour.
        """
        account_permissions.operator(self.by)
        return self.page(selectors.quarantined())


class RetryQuarantined(ApiView):
    @operation("quarantine_retry", status=204)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        service.retry_quarantined(by=self.by, row=permissions.quarantined_work(self.by, id))
        return self.answer()


class Differences(ApiView):
    @operation("differences_list", answer=DifferenceSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """List what a full check found and corrected because no event had reported it."""
        account_permissions.operator(self.by)
        return self.page(selectors.differences())


class Unassigned(ApiView):
    @operation("unassigned_list", answer=UnassignedSerializer, query=AfterQuery)
    def get(self, request: Request) -> Response:
        """Count the repositories that no account owns, by the first part of their names."""
        account_permissions.operator(self.by)
        groups = selectors.unassigned_groups(after=self.query["after"], most=GROUPS + 1)
        more = groups[GROUPS - 1].first if len(groups) > GROUPS else ""
        return self.answer({"results": groups[:GROUPS], "next_after": more})


class Assign(ApiView):
    @operation("unassigned_assign", body=AssignBody, answer=NamespaceSerializer, status=201)
    def post(self, request: Request, name: str) -> Response:
        """Make it a namespace of an account, with all repositories under it, or a reserved name without any."""
        permissions.unassigned_name(self.by, name)
        return self.answer(service.assign(by=self.by, first=name, handle=self.data()["account"]))


class ReservedNames(ApiView):
    @operation("reserved_names_list", answer=ReservedNameSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """List names without a namespace, each reserved for the account that had it."""
        account_permissions.operator(self.by)
        return self.page(selectors.reserved_names())


class OneReservedName(ApiView):
    @operation("reserved_names_delete", body=ReservedNameDeleteBody, status=204)
    def delete(self, request: Request, name: str) -> Response:
        """Release the name, so that any account can take it. Body: `{"confirmation": "…"}`.

        Not while the registry has a repository under it, or may still get one.
        """
        permissions.unassigned_name(self.by, name)
        service.release_name(by=self.by, name=name, confirmation=self.data()["confirmation"])
        return self.answer()
