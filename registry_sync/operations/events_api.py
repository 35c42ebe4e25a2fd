"""What the registry told, what it did not tell, and what nobody owns: for operators."""

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
    at = Moment(allow_null=True, help_text="When it happened, says the registry.")
    action = serializers.CharField()
    repository = serializers.CharField()
    tag = serializers.CharField()
    digest = serializers.CharField()
    actor = serializers.CharField()
    address = serializers.CharField()
    applied_at = Moment(allow_null=True)
    due_at = Moment(allow_null=True, help_text="When it is taken up next; null: done, or given up.")
    attempts = serializers.IntegerField()
    problem = serializers.CharField()


class AsideSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    account = serializers.CharField(source="account.handle", default=None, allow_null=True)
    repository = serializers.CharField(help_text="Empty: all that the account has.")
    item = serializers.CharField(help_text="A digest, or what was to be done; empty: all of the repository.")
    deaths = serializers.IntegerField(help_text="How many workers died of it.")
    since = Moment()


class EventQuery(PageQuery):
    state = serializers.ChoiceField(list(selectors.EVENT_STATES), required=False)


class RetriedSerializer(serializers.Serializer[Any]):
    retried = serializers.IntegerField()


class DifferenceSerializer(serializers.Serializer[Any]):
    run = serializers.IntegerField(source="run_id")
    found_at = Moment()
    repository = serializers.CharField()
    tag = serializers.CharField()
    old = serializers.CharField(help_text="The digest the panel had; empty: none.")
    new = serializers.CharField(help_text="The digest in the registry; empty: none.")
    back = serializers.BooleanField(
        source="rolled_back", help_text="The tag’s history had left `new` before."
    )


class GroupSerializer(serializers.Serializer[Any]):
    first = serializers.CharField()
    repositories = serializers.IntegerField()
    since = Moment()


class UnclaimedSerializer(serializers.Serializer[Any]):
    results = GroupSerializer(many=True)
    next_after = serializers.CharField(help_text="For `?after=`; empty at the end.")


class AfterQuery(Strict):
    after = serializers.CharField(default="", allow_blank=True, max_length=255)


class GiveBody(Strict):
    account = serializers.CharField(help_text="The handle of the account that gets it.")


class KeptNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    account = serializers.CharField(
        source="account.handle", default=None, allow_null=True,
        help_text="The account that had it, and may have it again; null: the registry held it before any.",
    )  # fmt: skip
    until = Moment(allow_null=True, help_text="Tokens for the deleted namespace may be good until then.")


class ClearBody(Strict):
    confirmation = serializers.CharField(help_text="The name again, as confirmation.")


class Events(ApiView):
    @operation("events_list", answer=EventSerializer, pages=True, query=EventQuery)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        return self.page(selectors.events(self.query.get("state", "")))


class RetryEvents(ApiView):
    @operation("events_retry", answer=RetriedSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Try all that failed again."""
        account_permissions.operator(self.by)
        return self.answer({"retried": service.retry_failed_events(by=self.by)})


class RetryEvent(ApiView):
    @operation("events_retry_one", status=204)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        service.retry_event(by=self.by, event=permissions.event(self.by, id))
        return self.answer()


class Asides(ApiView):
    @operation("aside_list", answer=AsideSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """List what is left alone because workers died of it.

        Tried again after a day, a whole account after an hour.
        """
        account_permissions.operator(self.by)
        return self.page(selectors.quarantined())


class RetryAside(ApiView):
    @operation("aside_retry", status=204)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        service.retry_aside(by=self.by, row=permissions.aside(self.by, id))
        return self.answer()


class Differences(ApiView):
    @operation("differences_list", answer=DifferenceSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """List what a full check found and mended, and no event had told."""
        account_permissions.operator(self.by)
        return self.page(selectors.differences())


class Unclaimed(ApiView):
    @operation("unclaimed_list", answer=UnclaimedSerializer, query=AfterQuery)
    def get(self, request: Request) -> Response:
        """Repositories that no account owns, counted by the first part of their names."""
        account_permissions.operator(self.by)
        groups = selectors.unassigned_groups(after=self.query["after"], most=GROUPS + 1)
        more = groups[GROUPS - 1].first if len(groups) > GROUPS else ""
        return self.answer({"results": groups[:GROUPS], "next_after": more})


class Give(ApiView):
    @operation("unclaimed_give", body=GiveBody, answer=NamespaceSerializer, status=201)
    def post(self, request: Request, first: str) -> Response:
        """Make it a namespace of an account, with all repositories under it, or a kept name without any."""
        permissions.kept(self.by, first)
        return self.answer(service.give(by=self.by, first=first, handle=self.data()["account"]))


class KeptNames(ApiView):
    @operation("names_list", answer=KeptNameSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """Names without a namespace that only the account which had one gets: the others by an operator."""
        account_permissions.operator(self.by)
        return self.page(selectors.reserved_names())


class KeptName(ApiView):
    @operation("names_clear", body=ClearBody, status=204)
    def delete(self, request: Request, first: str) -> Response:
        """Clear the name: from then on anybody may have it. Body: `{"confirmation": "…"}`.

        Refused while the registry lists a repository under it, or may yet get one.
        """
        permissions.kept(self.by, first)
        service.clear(by=self.by, name=first, confirmation=self.data()["confirmation"])
        return self.answer()
