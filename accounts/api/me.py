"""The person who asks, and their API tokens."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.limits import HoldingSerializer, shown
from accounts.api.openapi import operation
from accounts.api.serializers import Expiry, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.limits import OF_PERSON
from accounts.models import Person
from accounts.names import TITLE_MAX
from accounts.services import api_tokens


class MyLimitsSerializer(serializers.Serializer[Any]):
    accounts = HoldingSerializer(help_text="Accounts that the person has opened, closed ones too.")
    api_tokens = HoldingSerializer()


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    is_operator = serializers.BooleanField(source="operator")
    limits = MyLimitsSerializer()


class TokenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text="Its last characters, to tell it from others.")
    created_at = Moment()
    expires_at = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True)


class TokenTextSerializer(TokenSerializer):
    token = serializers.CharField(help_text="Shown only once; only its digest is stored.")


class TokenBody(Strict):
    name = serializers.CharField(max_length=TITLE_MAX)
    expires_at = Expiry()


class Me(ApiView):
    @operation("me_read", answer=MeSerializer)
    def get(self, request: Request) -> Response:
        held = shown(OF_PERSON, Person.objects.get(pk=self.by.person_id))
        facts = {"id": self.by.id, "email": self.by.label, "operator": self.by.operator}
        return self.answer({**facts, "limits": held})


class Tokens(ApiView):
    @operation("tokens_list", answer=TokenSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        return self.page(selectors.api_tokens_of(person_id=self.by.person_id))

    @operation("tokens_create", body=TokenBody, answer=TokenTextSerializer, status=201, signed_in=True)
    def post(self, request: Request) -> Response:
        """Only with the panel’s session: a leaked token must not create one that lives longer."""
        token, text = api_tokens.create(by=self.by, **self.data())
        return self.answer(TokenSerializer(token).data | {"token": text})


class OneToken(ApiView):
    @operation("tokens_revoke", status=204)
    def delete(self, request: Request, id: int) -> Response:  # noqa: A002
        api_tokens.revoke(by=self.by, token=permissions.api_token(self.by, id))
        return self.answer()
