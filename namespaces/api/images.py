"""Images of a namespace, and who has access to them."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, SearchQuery
from accounts.api.view import ApiView
from accounts.roles import Permission
from namespaces import permissions, selectors
from namespaces.access import Level
from namespaces.api.descriptions import DescriptionBody, ReadmeSerializer
from namespaces.api.grants import GrantSerializer
from namespaces.services import descriptions

LEVELS = [level.word for level in Level]


class ImageSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="What follows the namespace; may contain slashes.")
    namespace = serializers.CharField(source="namespace.name")
    repository = serializers.CharField(help_text="`namespace/name`, as the registry knows it.")
    description = serializers.CharField(
        allow_blank=True, help_text="As a member wrote it, or else as the newest tag’s image says."
    )
    tag_count = serializers.IntegerField()
    latest_tag = serializers.CharField(allow_blank=True)
    size_bytes = serializers.IntegerField(
        source="size", help_text="What a client downloads for the newest tag."
    )
    usage_bytes = serializers.IntegerField(
        source="stored_bytes",
        help_text="What all of it takes in the registry, measured soon after a push; a layer counts once.",
    )
    untagged_bytes = serializers.IntegerField(
        help_text="The part of `usage_bytes` that no tag leads to: the history alone knows it."
    )
    uncollected_bytes = serializers.IntegerField(
        help_text="Not in `usage_bytes`: deleted, and on the registry’s disk until its garbage collection."
    )
    first_seen_at = Moment()
    pushed_at = Moment(allow_null=True)


class ImageDetailSerializer(ImageSerializer, ReadmeSerializer):
    pushed_description = serializers.CharField(
        allow_blank=True, help_text="As the newest tag’s image says (`org.opencontainers.image.description`)."
    )


class EffectiveAccessSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(source="user.username")
    description = serializers.CharField(source="user.description")
    level = serializers.ChoiceField(LEVELS, source="verdict.level.word")
    can_pull = serializers.BooleanField(source="verdict.allowed")
    reason = serializers.CharField(source="verdict.reason")
    grants = GrantSerializer(many=True, help_text="The grants that reach this image.")


class AccessSerializer(serializers.Serializer[Any]):
    public = serializers.BooleanField(help_text="True: anyone may pull, signed in or not.")
    users = EffectiveAccessSerializer(many=True)


class AccountImages(ApiView):
    @operation("images_list_all", answer=ImageSerializer, pages=True, query=SearchQuery)
    def get(self, request: Request, handle: str) -> Response:
        """List the images of all namespaces of the account, the last pushed first."""
        account = account_permissions.account(self.by, handle)
        return self.page(selectors.images_of(account, search=self.query["search"]))


class Images(ApiView):
    @operation("images_list", answer=ImageSerializer, pages=True, query=SearchQuery)
    def get(self, request: Request, handle: str, name: str) -> Response:
        namespace = permissions.namespace(self.by, handle, name)
        found = selectors.images_of(namespace.account, namespace=namespace, search=self.query["search"])
        return self.page(found)


class OneImage(ApiView):
    @operation("images_read", answer=ImageDetailSerializer)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        return self.answer(permissions.image(self.by, handle, name, image))

    @operation("images_update", body=DescriptionBody, answer=ImageDetailSerializer)
    def patch(self, request: Request, handle: str, name: str, image: str) -> Response:
        found = permissions.image(self.by, handle, name, image, Permission.IMAGES_DESCRIBE)
        return self.answer(descriptions.describe_image(by=self.by, image=found, **self.data()))


class ImageAccess(ApiView):
    @operation("images_access", answer=AccessSerializer)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        """Show who may do what, and through which grants; also for an image that nobody has pushed yet."""
        found = permissions.image_or_planned(self.by, handle, name, image)
        users = selectors.users_with_access(namespace=found.namespace.pk, image_name=found.name)
        access = selectors.effective_access(found.namespace, found.name, users)
        return self.answer({"public": found.namespace.public, "users": access})
