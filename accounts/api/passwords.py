"""Passwords of a user: rotation, and the end of the old one. No answer but the one that makes it shows a password."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.openapi import operation
from accounts.api.serializers import Ending, Moment, PageQuery, Strict
from accounts.api.users import UserPasswordSerializer, with_password
from accounts.api.view import ApiView
from accounts.models import Secret
from accounts.roles import Permission
from accounts.services import passwords

_UNUSED = "The old password ends once it was not used for so many days. Null: never for that reason."


class PasswordSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    hint = serializers.CharField(help_text="Its last four characters.")
    state = serializers.SerializerMethodField(help_text="`live` or `ended`.")
    created_at = Moment()
    expires_at = Moment(allow_null=True, help_text="When it ends, or was ended.")
    retires_at = Moment(allow_null=True, help_text="When the old one of two ends; each use may move it on.")
    retire_after_unused_days = serializers.IntegerField(allow_null=True, help_text=_UNUSED)
    trust_policy = serializers.IntegerField(
        source="policy_id",
        allow_null=True,
        help_text="Of a password that a job got in place of its ID token: by which policy.",
    )
    last_used_at = Moment(allow_null=True)
    last_used_ip = serializers.CharField(source="last_used_from", allow_blank=True)
    last_used_client = serializers.CharField(source="last_used_with", allow_blank=True)

    def get_state(self, secret: Secret) -> str:
        return "live" if secret.live_at(timezone.now()) else "ended"


class Retirement(Strict):
    """When the old password ends: at a moment, or after days without use. Neither: when somebody ends it."""

    retires_at = Ending(required=False, default=None)
    retire_after_unused_days = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text=_UNUSED
    )


class Passwords(ApiView):
    @operation("passwords_list", answer=PasswordSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, username: str) -> Response:
        """List the passwords that work, those that jobs got in place of an ID token too, and the last that ended."""
        return self.page(selectors.all_passwords_of(permissions.user(self.by, handle, username)))

    @operation("passwords_rotate", body=Retirement, answer=UserPasswordSerializer, status=201)
    def post(self, request: Request, handle: str, username: str) -> Response:
        """Create a second password, shown only once; the old one goes on working. 409 while two work."""
        user = permissions.user(self.by, handle, username, Permission.USERS_MANAGE)
        return self.answer(with_password(user, passwords.rotate(by=self.by, user=user, **_plan(self.data()))))


class OnePassword(ApiView):
    @operation("passwords_update", body=Retirement, answer=PasswordSerializer)
    def patch(self, request: Request, handle: str, username: str, id: int) -> Response:  # noqa: A002
        """Say when the old one of two ends. What is not given is null."""
        secret = permissions.secret(self.by, handle, username, id)
        return self.answer(passwords.retire(by=self.by, secret=secret, **_plan(self.data())))

    @operation("passwords_delete", status=204)
    def delete(self, request: Request, handle: str, username: str, id: int) -> Response:  # noqa: A002
        """End one of two at once, or one that a job got. 409 for the only one of a user without trust policies."""
        passwords.end(by=self.by, secret=permissions.secret(self.by, handle, username, id))
        return self.answer()


def _plan(body: dict[str, Any]) -> dict[str, Any]:
    return {"retires_at": body["retires_at"], "unused_days": body["retire_after_unused_days"]}
