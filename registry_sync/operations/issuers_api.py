"""Issuers of ID tokens that every account may trust: for operators."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, reauthentication
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common import clock
from accounts.id_tokens import keys, selectors
from accounts.models import IdTokenIssuer
from accounts.services import issuers

_PASTED = "Its JWKS, with public keys alone. Empty: the keys are fetched from the issuer."


class IssuerKeySerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="key_id", allow_null=True, help_text="Its `kid`; null: it has none.")
    algorithm = serializers.CharField(source="algorithm_name")


class SystemIssuerSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    url = serializers.CharField(help_text="Exactly the `iss` of its tokens.")
    name = serializers.CharField(allow_blank=True)
    preset = serializers.CharField(allow_blank=True)
    enabled = serializers.BooleanField()
    pasted_keys = serializers.SerializerMethodField(
        help_text="Whether its keys were pasted and are never fetched."
    )
    keys = IssuerKeySerializer(many=True, source="parsed_keys")
    keys_fetched_at = Moment(source="jwks_at", allow_null=True)
    last_attempt_at = Moment(source="tried_at", allow_null=True)
    next_attempt_at = Moment(source="next_try_at", allow_null=True)
    problem = serializers.CharField(allow_blank=True, help_text="Why the last attempt gave no keys.")
    user_count = serializers.IntegerField(help_text="How many users trust it.")

    def get_pasted_keys(self, issuer: IdTokenIssuer) -> bool:
        return bool(issuer.pasted_jwks)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        instance.parsed_keys = keys.key_set(instance)
        shown: dict[str, Any] = super().to_representation(instance)
        return shown


class IssuerChangeBody(Strict):
    name = serializers.CharField(required=False, allow_blank=True)
    preset = serializers.CharField(required=False, allow_blank=True, help_text="What kind of service it is.")
    pasted_jwks = serializers.CharField(required=False, allow_blank=True, help_text=_PASTED)


class IssuerEditBody(IssuerChangeBody):
    enabled = serializers.BooleanField(required=False)


class IssuerCreateBody(IssuerChangeBody):
    url = serializers.CharField(help_text="Exactly the `iss` of its tokens.")


class SystemIssuers(ApiView):
    @operation("system_issuers_list", answer=SystemIssuerSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        """List whose ID tokens users of every account may trust."""
        permissions.operator(self.by)
        return self.page(selectors.shared_issuers())

    @operation("system_issuers_create", body=IssuerCreateBody, answer=SystemIssuerSerializer, status=201)
    def post(self, request: Request) -> Response:
        permissions.operator(self.by)
        reauthentication.demand(request)
        return self.answer(_shown(issuers.add(by=self.by, **self.data())))


class OneSystemIssuer(ApiView):
    @operation("system_issuers_read", answer=SystemIssuerSerializer)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002
        return self.answer(_shown(permissions.issuer(self.by, id)))

    @operation("system_issuers_edit", body=IssuerEditBody, answer=SystemIssuerSerializer)
    def patch(self, request: Request, id: int) -> Response:  # noqa: A002
        """Change what is given. Tokens of a disabled issuer are refused at once."""
        issuer = permissions.issuer(self.by, id)
        reauthentication.demand(request)
        return self.answer(_shown(issuers.edit(by=self.by, issuer=issuer, **self.data())))

    @operation("system_issuers_delete", status=204)
    def delete(self, request: Request, id: int) -> Response:  # noqa: A002
        """Delete it, unless a user trusts it."""
        issuer = permissions.issuer(self.by, id)
        reauthentication.demand(request)
        issuers.delete(by=self.by, issuer=issuer)
        return self.answer()


class FetchSystemIssuer(ApiView):
    @operation("system_issuers_fetch", answer=SystemIssuerSerializer, status=202)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        """Have its keys fetched within seconds."""
        issuer = permissions.issuer(self.by, id)
        return self.answer(_shown(issuers.fetch_now(by=self.by, issuer=issuer, now=clock.now())))


def _shown(issuer: IdTokenIssuer) -> IdTokenIssuer:
    return selectors.shared_issuers().get(pk=issuer.pk)
