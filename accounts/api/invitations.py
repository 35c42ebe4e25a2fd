"""Invitations into an account."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.openapi import operation
from accounts.api.serializers import ROLES, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.models import InvitationState
from accounts.roles import Permission
from accounts.services import invitations

STATES = [state.value for state in InvitationState]


class InvitationSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    role = serializers.ChoiceField(ROLES)
    created_by = serializers.CharField()
    created_at = Moment()
    expires_at = Moment()
    state = serializers.ChoiceField(
        STATES, help_text="`reserved`: somebody signed up with it; `void`: its creator can no longer invite."
    )
    used_at = Moment(allow_null=True)
    used_by = serializers.CharField(allow_blank=True, help_text="Who joined or signed up with it.")


class InvitationLinkSerializer(InvitationSerializer):
    link = serializers.URLField(help_text="Shown only once. Whoever accepts it first becomes a member.")


class InvitationBody(Strict):
    role = serializers.ChoiceField(ROLES)


class Invitations(ApiView):
    @operation("invitations_list", answer=InvitationSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str) -> Response:
        account = permissions.account(self.by, handle, Permission.MEMBERS_MANAGE)
        return self.page(selectors.invitations_of(account))

    @operation("invitations_create", body=InvitationBody, answer=InvitationLinkSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        account = permissions.account(self.by, handle, Permission.MEMBERS_MANAGE)
        invitation, text = invitations.invite(by=self.by, account=account, **self.data())
        link = settings.PUBLIC_URL + reverse("invitation-link", args=[text])
        return self.answer(InvitationSerializer(invitation).data | {"link": link})


class OneInvitation(ApiView):
    @operation("invitations_revoke", status=204)
    def delete(self, request: Request, handle: str, id: int) -> Response:  # noqa: A002
        invitations.withdraw(by=self.by, invitation=permissions.invitation(self.by, handle, id))
        return self.answer()
