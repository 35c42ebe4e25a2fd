"""Accounts of the person who asks."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, reauthentication, selectors
from accounts.api.openapi import operation
from accounts.api.serializers import ROLES, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Forbidden
from accounts.models import Member
from accounts.names import TITLE_MAX
from accounts.roles import Permission
from accounts.services import accounts, password_rules


class AccountSerializer(serializers.Serializer[Any]):
    handle = serializers.CharField(help_text="The account’s part of every URL; never changes.")
    name = serializers.CharField()
    role = serializers.ChoiceField(ROLES, help_text="Of the person who asks.")
    created_at = Moment()


class AccountBody(Strict):
    name = serializers.CharField(max_length=TITLE_MAX)


class AccountCloseBody(Strict):
    confirmation = serializers.CharField(help_text="The handle again, as confirmation.")


class PasswordRulesSerializer(serializers.Serializer[Any]):
    longest_life_days = serializers.IntegerField(
        allow_null=True,
        help_text="No user or new password may end later than this many days from now. Null: no limit.",
    )
    self_rotation = serializers.BooleanField(
        help_text="Whether a user may rotate its own password: `POST /api/v1/self/rotate/`."
    )


class PasswordRulesBody(Strict):
    """What is not given stays."""

    longest_life_days = serializers.IntegerField(required=False, allow_null=True)
    self_rotation = serializers.BooleanField(required=False)


class Accounts(ApiView):
    @operation("accounts_list", answer=AccountSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        found = selectors.accounts_overview(person_id=self.by.person_id)
        return self.page(found.filter(permissions.reachable(self.by)))

    @operation("accounts_create", body=AccountBody, answer=AccountSerializer, status=201)
    def post(self, request: Request) -> Response:
        """Not with an API token of one account."""
        if self.by.only_account:
            raise Forbidden(_("This API token is limited to one account, so it cannot open another."))
        account = accounts.open_account(by=self.by, **self.data())
        return self.answer(_shown(permissions.membership(self.by, account.handle)))


class OneAccount(ApiView):
    @operation("accounts_read", answer=AccountSerializer)
    def get(self, request: Request, handle: str) -> Response:
        return self.answer(_shown(permissions.membership(self.by, handle)))

    @operation("accounts_update", body=AccountBody, answer=AccountSerializer)
    def patch(self, request: Request, handle: str) -> Response:
        account = permissions.account(self.by, handle, Permission.ACCOUNT_RENAME)
        accounts.rename(by=self.by, account=account, **self.data())
        return self.answer(_shown(permissions.membership(self.by, handle)))

    @operation("accounts_close", body=AccountCloseBody, status=204)
    def delete(self, request: Request, handle: str) -> Response:
        """Body: `{"confirmation": "…"}`. Closes the account for good: its users are denied at once."""
        account = permissions.account(self.by, handle, Permission.ACCOUNT_CLOSE)
        reauthentication.demand(request)
        accounts.close(by=self.by, account=account, **self.data())
        return self.answer()


class PasswordRules(ApiView):
    @operation("password_rules_read", answer=PasswordRulesSerializer)
    def get(self, request: Request, handle: str) -> Response:
        return self.answer(permissions.account(self.by, handle))

    @operation("password_rules_update", body=PasswordRulesBody, answer=PasswordRulesSerializer)
    def patch(self, request: Request, handle: str) -> Response:
        """Change the rules for passwords of users. What already lasts longer is not shortened."""
        account = permissions.account(self.by, handle, Permission.CREDENTIAL_RULES_CHANGE)
        return self.answer(password_rules.change(by=self.by, account=account, **self.data()))


def _shown(member: Member) -> dict[str, Any]:
    account = member.account
    return {
        "handle": account.handle,
        "name": account.name,
        "role": member.role,
        "created_at": account.created_at,
    }
