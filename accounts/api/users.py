"""Users of an account: what `docker login` uses."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors, user_list
from accounts.api.openapi import operation
from accounts.api.serializers import Ending, Moment, SearchQuery, Strict
from accounts.api.view import ApiView
from accounts.models import RegistryUser
from accounts.names import DESCRIPTION_MAX, EXPIRY_DAYS
from accounts.roles import Permission
from accounts.services import password_rules, passwords, users

STATES = ["active", "disabled", "expired"]


class UserSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    description = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    created_at = Moment()
    expires_at = Moment(allow_null=True)
    expires_soon = serializers.BooleanField(
        help_text="Whether it is active and, within 30 days, expires or its last password ends."
    )
    disabled_at = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True)
    last_used_ip = serializers.CharField(source="last_used_from", allow_blank=True)
    last_used_client = serializers.CharField(source="last_used_with", allow_blank=True)


class UserPasswordSerializer(UserSerializer):
    password = serializers.CharField(
        allow_blank=True,
        help_text="Shown only once; only its digest is stored. Empty for a user that was made without.",
    )
    registry_host = serializers.CharField(help_text="The argument of `docker login`.")


class OneUserSerializer(UserSerializer):
    dropped_denial_count = serializers.SerializerMethodField(
        help_text="Denials that were not kept: only the last 100 are."
    )

    def get_dropped_denial_count(self, user: RegistryUser) -> int:
        dropped = selectors.denials_dropped(user)
        return dropped.count if dropped else 0


class NewUserBody(Strict):
    description = serializers.CharField(max_length=DESCRIPTION_MAX, help_text="What it is for.")
    expires_at = Ending(
        required=False,
        help_text=f"{Ending().help_text} Not given: in {EXPIRY_DAYS} days, or in what the account allows at most.",
    )

    with_password = serializers.BooleanField(
        default=True, help_text="False: the user signs in by ID tokens that its trust policies allow."
    )


class UserBody(Strict):
    """What is not given stays; an `expires_at` of null means it never expires."""

    description = serializers.CharField(max_length=DESCRIPTION_MAX, required=False)
    expires_at = Ending(required=False)


class UserQuery(SearchQuery):
    state = serializers.ChoiceField(
        user_list.STATES,
        default="",
        allow_blank=True,
        help_text="`unused`: never used, whatever its state; `idle`: not in the last 60 days; `expiring`: it or its "
        "last password within 30 days; `overlong`: later than the account allows by now.",
    )
    sort = serializers.ChoiceField(
        user_list.SORTS,
        default=user_list.NEWEST,
        help_text="With `-` the greatest first. `name` is the description. A user that was never used counts as used "
        "before all others; one that never expires, as expiring after all others.",
    )


class Users(ApiView):
    @operation("users_list", answer=UserSerializer, pages=True, query=UserQuery)
    def get(self, request: Request, handle: str) -> Response:
        account, query = permissions.account(self.by, handle), self.query
        found = user_list.find_users(
            account, search=query["search"], state=query["state"], sort=query["sort"], now=timezone.now()
        )
        return self.page(found)

    @operation("users_create", body=NewUserBody, answer=UserPasswordSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        """Create a user with a generated username and password; the password is shown only once."""
        account = permissions.account(self.by, handle, Permission.USERS_MANAGE)
        given = {"expires_at": password_rules.usual_end(account, timezone.now())} | self.data()
        user, password = users.create(by=self.by, account=account, **given)
        return self.answer(with_password(user, password))


class OneUser(ApiView):
    @operation("users_read", answer=OneUserSerializer)
    def get(self, request: Request, handle: str, username: str) -> Response:
        return self.answer(permissions.user(self.by, handle, username))

    @operation("users_update", body=UserBody, answer=UserSerializer)
    def patch(self, request: Request, handle: str, username: str) -> Response:
        user = permissions.user(self.by, handle, username, Permission.USERS_MANAGE)
        return self.answer(users.edit(by=self.by, user=user, **self.data()))

    @operation("users_delete", status=204)
    def delete(self, request: Request, handle: str, username: str) -> Response:
        """Delete the user, its passwords and its grants."""
        users.delete(by=self.by, user=permissions.user(self.by, handle, username, Permission.USERS_MANAGE))
        return self.answer()


class DisableUser(ApiView):
    @operation("users_disable", answer=UserSerializer)
    def post(self, request: Request, handle: str, username: str) -> Response:
        """Issue no more registry tokens; those already issued expire within minutes."""
        user = permissions.user(self.by, handle, username, Permission.USERS_MANAGE)
        return self.answer(users.disable(by=self.by, user=user))


class EnableUser(ApiView):
    @operation("users_enable", answer=UserSerializer)
    def post(self, request: Request, handle: str, username: str) -> Response:
        user = permissions.user(self.by, handle, username, Permission.USERS_MANAGE)
        return self.answer(users.enable(by=self.by, user=user))


class UserPassword(ApiView):
    @operation("users_replace_password", answer=UserPasswordSerializer)
    def post(self, request: Request, handle: str, username: str) -> Response:
        """Generate a new password, shown only once; every older one stops working at once."""
        user = permissions.user(self.by, handle, username, Permission.USERS_MANAGE)
        return self.answer(with_password(user, passwords.replace(by=self.by, user=user)))


def with_password(user: RegistryUser, password: str) -> dict[str, Any]:
    sources = [str(field.source) for field in UserSerializer().fields.values()]
    row = {name: getattr(user, name) for name in sources}
    return row | {"password": password, "registry_host": settings.REGISTRY_HOST}
