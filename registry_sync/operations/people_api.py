"""All persons of the installation, and what an operator does to one; to others none of this is there."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import people_list, reauthentication, reset_links
from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import ROLES, Moment, SearchQuery
from accounts.api.view import ApiView
from accounts.models import Person
from accounts.services import person_access, second_factors
from registry_sync.operations import permissions


class MembershipSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(source="account.handle", help_text="Its handle.")
    role = serializers.ChoiceField(ROLES)


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    is_active = serializers.BooleanField(help_text="False: disabled; cannot sign in or call the API.")
    is_operator = serializers.BooleanField(source="is_staff")
    joined_at = Moment(source="date_joined")
    last_sign_in_at = Moment(source="last_login", allow_null=True)
    api_token_count = serializers.IntegerField(source="token_count", help_text="Those that have not expired.")
    factor_count = serializers.IntegerField(help_text="Second factors and passkeys.")
    single_sign_on = serializers.BooleanField(help_text="Whether a provider signs them in.")
    memberships = MembershipSerializer(source="open_memberships", many=True)


class OnePersonSerializer(PersonSerializer):
    session_count = serializers.IntegerField()
    accounts_owned_alone = serializers.ListField(
        child=serializers.CharField(), help_text="Handles of accounts that no other owner can sign in to."
    )


class PeopleQuery(SearchQuery):
    state = serializers.ChoiceField(people_list.STATES, required=False)


class EndedSessionsSerializer(serializers.Serializer[Any]):
    ended_count = serializers.IntegerField()


class ResetLinkSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(
        allow_blank=True, help_text="The link, shown only once; empty where it was sent by mail."
    )


class People(ApiView):
    @operation("people_list", answer=PersonSerializer, pages=True, query=PeopleQuery)
    def get(self, request: Request) -> Response:
        """List the persons by address. `search` is a part of an address."""
        account_permissions.operator(self.by)
        state, search = self.query.get("state", ""), self.query["search"]
        found = people_list.people(search=search, state=state, now=timezone.now())
        return self.page(found, shown=lambda rows: with_memberships(list(rows)))


class PersonView(ApiView):
    def shown(self, person_id: int) -> Response:
        return self.answer(one(permissions.person(self.by, person_id)))


class OnePerson(PersonView):
    @operation("people_read", answer=OnePersonSerializer)
    def get(self, request: Request, person_id: int) -> Response:
        return self.shown(person_id)


class DisablePerson(PersonView):
    @operation("people_disable", answer=OnePersonSerializer)
    def post(self, request: Request, person_id: int) -> Response:
        """End the person’s sessions and refuse their API tokens, until they are enabled. What they own stays."""
        found = permissions.person(self.by, person_id)
        reauthentication.demand(request)
        person_access.disable(by=self.by, person=found)
        return self.shown(person_id)


class EnablePerson(PersonView):
    @operation("people_enable", answer=OnePersonSerializer)
    def post(self, request: Request, person_id: int) -> Response:
        person_access.enable(by=self.by, person=permissions.person(self.by, person_id))
        return self.shown(person_id)


class EndSessions(ApiView):
    @operation("people_end_sessions", answer=EndedSessionsSerializer)
    def post(self, request: Request, person_id: int) -> Response:
        """Sign the person out in every browser. API tokens keep working."""
        found = permissions.person(self.by, person_id)
        return self.answer({"ended_count": person_access.end_sessions(by=self.by, person=found)})


class ResetLink(ApiView):
    @operation("people_reset_link", answer=ResetLinkSerializer, signed_in=True)
    def post(self, request: Request, person_id: int) -> Response:
        """Create a link with which the person sets a new password. It is sent by mail where there is a mail server."""
        found = permissions.person(self.by, person_id)
        reauthentication.demand(request)
        return self.answer({"url": reset_links.create(by=self.by, person=found)})


class ResetFactors(PersonView):
    @operation("people_reset_factors", answer=OnePersonSerializer, signed_in=True)
    def post(self, request: Request, person_id: int) -> Response:
        """Remove the person’s second factors and recovery codes, end their sessions, and tell them by mail."""
        found = permissions.person(self.by, person_id)
        reauthentication.demand(request)
        second_factors.reset(by=self.by, person=found)
        return self.shown(person_id)


class Operator(PersonView):
    @operation("people_make_operator", answer=OnePersonSerializer, signed_in=True)
    def post(self, request: Request, person_id: int) -> Response:
        """Make the person an operator."""
        found = permissions.person(self.by, person_id)
        reauthentication.demand(request)
        person_access.make_operator(by=self.by, person=found)
        return self.shown(person_id)

    @operation("people_end_operator", status=204)
    def delete(self, request: Request, person_id: int) -> Response:
        """End the operator role. The last operator who can sign in keeps it."""
        found = permissions.person(self.by, person_id)
        reauthentication.demand(request)
        person_access.unmake_operator(by=self.by, person=found)
        return self.answer()


def with_memberships(people: list[Any]) -> list[Any]:
    found = people_list.memberships(people)
    for person in people:
        person.open_memberships = found[person.pk]
    return people


def one(person: Person) -> dict[str, Any]:
    """Return what OnePersonSerializer shows of a person from `permissions.person`."""
    alone = [account.handle for account in people_list.owned_alone(person)]
    shown = {name: getattr(person, name) for name in _SHOWN}
    memberships = people_list.memberships([person])[person.pk]
    return shown | {"open_memberships": memberships, "accounts_owned_alone": alone}


_SHOWN = (
    "id",
    "email",
    "is_active",
    "is_staff",
    "date_joined",
    "last_login",
    "token_count",
    "factor_count",
    "single_sign_on",
    "session_count",
)
