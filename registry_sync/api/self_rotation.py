"""A user of the registry rotates its own password: the only door of the API that takes one."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.openapi import operation
from accounts.api.serializers import Moment
from accounts.api.view import ApiView
from accounts.common.client_ip import Origin, client_address
from accounts.common.errors import NotFound, RateLimited
from accounts.common.user_agent import short
from accounts.models import RegistryUser
from accounts.principal import Kind, Principal
from accounts.services import passwords
from registry_sync.tokens.authentication import authenticate_user
from registry_sync.tokens.request import TokenError, read_basic

TOO_MANY = 429


class UserPasswordAuthentication(BaseAuthentication):
    """HTTP Basic with a username and password of `docker login`, judged and slowed as at the token server.

    `request.user` is the registry user, `request.auth` the primary key of the password that was given.
    """

    def authenticate(self, request: Request) -> tuple[RegistryUser, int]:
        client = short(request.META.get("HTTP_USER_AGENT", ""))
        origin = Origin(client_address(request.META), client, timezone.now())
        try:
            given = read_basic(request.META.get("HTTP_AUTHORIZATION", ""))
            if not given:
                raise AuthenticationFailed("Sign in with the user's name and password.")
            caller = authenticate_user(given, [], origin)
        except TokenError as refusal:
            if refusal.status == TOO_MANY:
                raise RateLimited(refusal.message, wait=refusal.retry_after) from None
            raise AuthenticationFailed(refusal.message) from None
        assert caller.user
        if caller.user.policy_id:
            raise AuthenticationFailed(
                "A password that was swapped for an ID token cannot rotate the user's own."
            )
        user = RegistryUser.objects.select_related("account").filter(username=caller.user.username).first()
        if not user:
            raise AuthenticationFailed("Sign in with the user's name and password.")
        return user, caller.user.secret_id

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="Registry Manager", charset="UTF-8"'


class IsRegistryUser(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, RegistryUser)


class OwnPasswordSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    password = serializers.CharField(help_text="Shown only once; only its digest is stored.")
    expires_at = Moment(allow_null=True, help_text="When the new password ends; no later than the one given.")


class RotateOwnPassword(ApiView):
    authentication_classes = (UserPasswordAuthentication,)
    permission_classes = (IsRegistryUser,)
    throttle_classes = ()  # wrong passwords are slowed, and two that work end it

    @operation("self_rotate", answer=OwnPasswordSerializer, status=201)
    def post(self, request: Request) -> Response:
        """Create a second password with the user’s own, by HTTP Basic; the old one goes on working.

        403 unless an owner has allowed it in the account’s settings, 409 while two work. Owners and managers get a
        mail.
        """
        user: RegistryUser = request.user  # type: ignore[assignment]
        label = f"{user.description} ({user.username})"
        by = Principal(kind=Kind.USER, id=user.pk, label=label, address=client_address(request.META))
        try:
            made, password = passwords.rotate_own(by=by, user=user, secret_id=int(request.auth))  # type: ignore[arg-type]
        except NotFound:  # it has ended, or the user is gone, since it was authenticated
            raise AuthenticationFailed("Sign in with the user's name and password.") from None
        ends = {"username": user.username, "password": password, "expires_at": made.ends_at}
        return self.answer(ends)
