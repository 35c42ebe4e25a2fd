"""The person who asks, and their API tokens."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.limits import HoldingSerializer, shown
from accounts.api.openapi import operation
from accounts.api.serializers import Expiry, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid, NotFound
from accounts.limits import OF_PERSON
from accounts.models import Account, ApiToken, Person
from accounts.names import TITLE_MAX
from accounts.principal import Principal
from accounts.services import api_tokens

SCOPES = ApiToken.Scope.values
SCOPE_TEXT = "`read`: only GET. `manage`: whatever the person may."
ACCOUNT_TEXT = "The handle of the only account that it reaches; null: all accounts of the person."
OPERATOR_TEXT = "Whether it reaches the operators’ part of the API, while the person is an operator."


class MyLimitsSerializer(serializers.Serializer[Any]):
    accounts = HoldingSerializer(help_text="Accounts that the person has opened, closed ones too.")
    api_tokens = HoldingSerializer()


class CallingTokenSerializer(serializers.Serializer[Any]):
    """What the API token may that came with the call."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(SCOPES)
    account = serializers.CharField(allow_null=True, help_text=ACCOUNT_TEXT)
    as_operator = serializers.BooleanField()
    expires_at = Moment(allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    is_operator = serializers.BooleanField(
        source="operator", help_text="Whether this call may use the operators’ part of the API."
    )
    api_token = CallingTokenSerializer(allow_null=True, help_text="Null: called with the panel’s session.")
    limits = MyLimitsSerializer()


class TokenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text="Its last characters, to tell it from others.")
    scope = serializers.ChoiceField(SCOPES, help_text=SCOPE_TEXT)
    account = serializers.CharField(
        source="account.handle", default=None, allow_null=True, help_text=ACCOUNT_TEXT
    )
    as_operator = serializers.BooleanField(help_text=OPERATOR_TEXT)
    created_at = Moment()
    expires_at = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True, help_text="To the minute.")
    last_used_from = serializers.CharField(help_text="The client’s address; empty: unknown.")
    last_used_with = serializers.CharField(help_text="What the client calls itself; empty: unknown.")


class TokenTextSerializer(TokenSerializer):
    token = serializers.CharField(help_text="Shown only once; only its digest is stored.")


class TokenBody(Strict):
    name = serializers.CharField(max_length=TITLE_MAX)
    expires_at = Expiry()
    scope = serializers.ChoiceField(SCOPES, default=ApiToken.Scope.READ.value, help_text=SCOPE_TEXT)
    account = serializers.CharField(default=None, allow_null=True, help_text=ACCOUNT_TEXT)
    as_operator = serializers.BooleanField(default=False, help_text=OPERATOR_TEXT)


class Me(ApiView):
    @operation("me_read", answer=MeSerializer)
    def get(self, request: Request) -> Response:
        held = shown(OF_PERSON, Person.objects.get(pk=self.by.person_id))
        facts = {"id": self.by.id, "email": self.by.label, "operator": self.by.operator}
        return self.answer({**facts, "api_token": _calling(self.token), "limits": held})


class Tokens(ApiView):
    @operation("tokens_list", answer=TokenSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """With an API token of one account only those of the same account."""
        found = selectors.api_tokens_of(person_id=self.by.person_id)
        return self.page(found.filter(permissions.reachable(self.by, "account")))

    @operation("tokens_create", body=TokenBody, answer=TokenTextSerializer, status=201, signed_in=True)
    def post(self, request: Request) -> Response:
        """Only with the panel’s session: a leaked token must not create one that lives longer.

        What asks for your password is created on the page: the scope `manage`, a token that acts as operator, and one
        that is valid for more than a year.
        """
        given = self.data()
        handle = given.pop("account")
        account = _account(self.by, handle) if handle else None
        token, text = api_tokens.create(by=self.by, account=account, **given)
        return self.answer(TokenSerializer(token).data | {"token": text})


def _account(by: Principal, handle: str) -> Account:
    try:
        return permissions.account(by, handle)
    except NotFound:
        raise Invalid.on("account", _("You have no account with this handle.")) from None


def _calling(token: ApiToken | None) -> dict[str, Any] | None:
    if not token:
        return None
    shown = ("id", "name", "scope", "as_operator", "expires_at")
    account = token.account.handle if token.account else None
    return {name: getattr(token, name) for name in shown} | {"account": account}


class OneToken(ApiView):
    @operation("tokens_revoke", status=204)
    def delete(self, request: Request, id: int) -> Response:  # noqa: A002
        api_tokens.revoke(by=self.by, token=permissions.api_token(self.by, id))
        return self.answer()
