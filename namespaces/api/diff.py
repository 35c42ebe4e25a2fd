"""What differs between two tags."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.openapi import operation
from accounts.api.serializers import Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid
from namespaces import permissions
from namespaces.manifests.diff import ChangeState
from namespaces.manifests.diff_queries import ResolvedReference, compare, resolve
from namespaces.models import Image

POINTER = "A tag or a digest of this image, or `NAMESPACE/IMAGE:TAG` of another that you may see."
STATES = [state.value for state in ChangeState]


class CompareQuery(Strict):
    left = serializers.CharField(max_length=500, help_text=POINTER)
    right = serializers.CharField(max_length=500, help_text=POINTER)
    platform = serializers.CharField(
        default="", allow_blank=True, max_length=140, help_text="Of two indexes."
    )


class SideSerializer(serializers.Serializer[Any]):
    repository = serializers.CharField(source="image.repository")
    tag = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(source="manifest.digest")
    size_bytes = serializers.IntegerField(source="manifest.size")


class LayerChangeSerializer(serializers.Serializer[Any]):
    state = serializers.CharField(help_text="`kept`, `added`, `removed`.")
    digest = serializers.CharField(source="layer.digest", allow_blank=True)
    size_bytes = serializers.IntegerField(source="layer.size")
    command = serializers.CharField(source="layer.command", allow_blank=True)


class ChangeSerializer(serializers.Serializer[Any]):
    state = serializers.CharField(help_text="`added`, `removed`, `changed`.")
    name = serializers.CharField(allow_blank=True)
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    left = SideSerializer()
    right = SideSerializer()
    platform = serializers.CharField(allow_blank=True)
    sides_without_platform = serializers.ListField(
        source="lacking",
        child=serializers.CharField(),
        help_text="`left`, `right`: the side has no such platform, or it was never read.",
    )
    identical = serializers.BooleanField(source="diff.same", help_text="Both have the same digest.")
    size_difference_bytes = serializers.IntegerField(
        source="diff.size_difference", help_text="Right minus left."
    )
    download_bytes = serializers.IntegerField(
        source="diff.to_fetch",
        help_text="What a client that has the left one still downloads for the right one.",
    )
    layers = LayerChangeSerializer(source="diff.layers", many=True)
    platforms = ChangeSerializer(source="diff.platforms", many=True)
    settings = serializers.DictField(
        source="diff.settings",
        child=ChangeSerializer(many=True),
        help_text="What of the config differs: `env`, `labels`, `entrypoint`, `cmd`, `ports` …",
    )


class Compare(ApiView):
    @operation("images_compare", answer=ComparisonSerializer, query=CompareQuery)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        found = permissions.image(self.by, handle, name, image)
        left, right = self._look(found, "left"), self._look(found, "right")
        return self.answer(compare(left, right, platform=self.query["platform"]))

    def _look(self, image: Image, side: str) -> ResolvedReference:
        try:
            return resolve(self.by, image, self.query[side], host=settings.REGISTRY_HOST)
        except Invalid as error:
            raise Invalid.on(side, error.message) from error
