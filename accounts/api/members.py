"""Members of an account."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.openapi import operation
from accounts.api.serializers import ROLES, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.services import members


class MemberSerializer(serializers.Serializer[Any]):
    person_id = serializers.IntegerField()
    email = serializers.EmailField(source="person.email")
    role = serializers.ChoiceField(ROLES)
    joined_at = Moment()


class MemberBody(Strict):
    role = serializers.ChoiceField(ROLES)


class Members(ApiView):
    @operation("members_list", answer=MemberSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str) -> Response:
        return self.page(selectors.members_of(permissions.account(self.by, handle)))


class OneMember(ApiView):
    @operation("members_update", body=MemberBody, answer=MemberSerializer)
    def patch(self, request: Request, handle: str, person_id: int) -> Response:
        member = permissions.member(self.by, handle, person_id)
        return self.answer(members.change_role(by=self.by, member=member, **self.data()))

    @operation("members_delete", status=204)
    def delete(self, request: Request, handle: str, person_id: int) -> Response:
        members.remove(by=self.by, member=permissions.member(self.by, handle, person_id))
        return self.answer()


class MyMembership(ApiView):
    @operation("members_leave", status=204)
    def delete(self, request: Request, handle: str) -> Response:
        """Leave the account; its last owner cannot."""
        members.remove(by=self.by, member=permissions.membership(self.by, handle))
        return self.answer()
