"""Tags of an image."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.operation import operation
from accounts.api.shapes import Moment, SearchQuery
from accounts.api.view import ApiView
from namespaces import gate, selectors


class PlatformSerializer(serializers.Serializer[Any]):
    platform = serializers.CharField(allow_blank=True, help_text="As in `linux/arm64/v8`.")
    digest = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


class TagSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    digest = serializers.CharField(source="manifest.digest")
    kind = serializers.CharField(source="manifest.kind", help_text="`image`, `index`, `artifact`, `unknown`.")
    media_type = serializers.CharField(source="manifest.media_type")
    artifact_type = serializers.CharField(source="manifest.artifact_type", allow_blank=True)
    size = serializers.IntegerField(source="manifest.size", help_text="Bytes, of all platforms.")
    platforms = PlatformSerializer(source="manifest.platforms", many=True)
    created_at = Moment(source="manifest.created_at", allow_null=True, help_text="As the image says.")
    pushed_at = Moment(help_text="When it was first seen to point where it points.")
    missing_since = Moment(allow_null=True, help_text="Absent from the registry's last complete list.")


class ManifestSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField()
    platforms = PlatformSerializer(many=True)
    created_at = Moment(allow_null=True)
    details = serializers.DictField(
        child=serializers.JSONField(),
        help_text="`layers`, `config`, `annotations`, as far as they are there.",
    )


class TagDetailSerializer(TagSerializer):
    details = serializers.DictField(source="manifest.details", child=serializers.JSONField())
    children = ManifestSerializer(many=True, help_text="The platforms of an index that were read.")


class Tags(ApiView):
    @operation("tags_list", answer=TagSerializer, pages=True, query=SearchQuery)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        found = gate.image(self.by, handle, name, image)
        return self.page(selectors.tags_of(found, search=self.query["search"]))


class OneTag(ApiView):
    @operation("tags_read", answer=TagDetailSerializer)
    def get(self, request: Request, handle: str, name: str, image: str, tag: str) -> Response:
        found = gate.tag(self.by, handle, name, image, tag)
        row = {name: getattr(found, name) for name in ("name", "manifest", "pushed_at", "missing_since")}
        return self.answer(row | {"children": selectors.children_of(found)})
