"""Namespaces of an account."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, SearchQuery, Strict
from accounts.api.view import ApiView
from accounts.roles import Permission
from namespaces import permissions, selectors
from namespaces.api.descriptions import DescriptionBody, ReadmeSerializer
from namespaces.services import descriptions, namespaces


class NamespaceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    public = serializers.BooleanField(help_text="True: anyone may pull, signed in or not.")
    usage_bytes = serializers.IntegerField(
        source="stored_bytes",
        help_text="What it takes in the registry, measured soon after a push; a layer counts once.",
    )
    untagged_bytes = serializers.IntegerField(
        help_text="The part of `usage_bytes` that no tag leads to: the history alone knows it."
    )
    uncollected_bytes = serializers.IntegerField(
        help_text="Not in `usage_bytes`: deleted, and on the registry’s disk until its garbage collection."
    )
    description = serializers.CharField(allow_blank=True)
    created_at = Moment()


class NamespaceDetailSerializer(NamespaceSerializer, ReadmeSerializer):
    pass


class NewNamespaceBody(Strict):
    name = serializers.CharField(help_text="Unique in the whole registry; lower case.")


class NamespaceBody(DescriptionBody):
    public = serializers.BooleanField(required=False)


class NamespaceDeleteBody(Strict):
    confirmation = serializers.CharField(help_text="The name again, as confirmation.")


class Namespaces(ApiView):
    @operation("namespaces_list", answer=NamespaceSerializer, pages=True, query=SearchQuery)
    def get(self, request: Request, handle: str) -> Response:
        account = account_permissions.account(self.by, handle)
        return self.page(selectors.namespaces_of(account, now=timezone.now(), search=self.query["search"]))

    @operation("namespaces_create", body=NewNamespaceBody, answer=NamespaceSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        account = account_permissions.account(self.by, handle, Permission.NAMESPACES_MANAGE)
        return self.answer(namespaces.create(by=self.by, account=account, **self.data()))


class OneNamespace(ApiView):
    @operation("namespaces_read", answer=NamespaceDetailSerializer)
    def get(self, request: Request, handle: str, name: str) -> Response:
        return self.answer(permissions.namespace(self.by, handle, name))

    @operation("namespaces_update", body=NamespaceBody, answer=NamespaceDetailSerializer)
    def patch(self, request: Request, handle: str, name: str) -> Response:
        """Change the given fields, all of them or none."""
        namespace = permissions.namespace(self.by, handle, name, Permission.NAMESPACES_MANAGE)
        data = self.data()
        with transaction.atomic():
            if "public" in data:
                namespaces.set_public(by=self.by, namespace=namespace, public=data.pop("public"))
            descriptions.describe_namespace(by=self.by, namespace=namespace, **data)
        return self.answer(namespace)

    @operation("namespaces_delete", body=NamespaceDeleteBody, status=204)
    def delete(self, request: Request, handle: str, name: str) -> Response:
        """Body: `{"confirmation": "…"}`. Only an empty namespace is deleted; its name stays reserved."""
        namespace = permissions.namespace(self.by, handle, name, Permission.NAMESPACES_MANAGE)
        namespaces.delete(by=self.by, namespace=namespace, **self.data())
        return self.answer()
