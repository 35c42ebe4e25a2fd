"""Tags of an image."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.operation import operation
from accounts.api.shapes import SEARCH_MAX, Moment, SearchQuery
from accounts.api.view import ApiView
from namespaces import gate, plans, selectors, tag_list

_OF_TAG = (
    "name", "manifest", "pushed_at", "pushed_by", "last_pulled_at", "pull_count", "missing_since",
)  # fmt: skip


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
    pushed_by = serializers.CharField(allow_blank=True, help_text="A username; empty when nobody told.")
    last_pulled_at = Moment(allow_null=True, help_text="Null: never, as far as the registry told.")
    pull_count = serializers.IntegerField()
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


class TagQuery(SearchQuery):
    search = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=SEARCH_MAX,
        help_text="A piece of the name, in any case (one or two characters: its beginning); or the beginning "
        "of the digest: `sha256:…`, or six hexadecimal digits and more.",
    )
    sort = serializers.ChoiceField(
        tag_list.SORTS,
        default=tag_list.NEWEST,
        help_text="With `-` the greatest first. Names in natural order: 1.9 before 1.10. "
        "A tag that nobody pulled counts as pulled before all others.",
    )
    technical = serializers.BooleanField(
        default=False, help_text="Also the tags that tools hang onto a digest, as `sha256-….sig`."
    )


class Tags(ApiView):
    @operation("tags_list", answer=TagSerializer, pages=True, query=TagQuery)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        query, owner = self.query, gate.image(self.by, handle, name, image)
        halves = (False, True) if query["technical"] else (False,)
        with plans.by_value(query["search"]):
            found = tag_list.find(owner, query["search"])
            return self.page(*(found.tags(sort=query["sort"], technical=half) for half in halves))


class OneTag(ApiView):
    @operation("tags_read", answer=TagDetailSerializer)
    def get(self, request: Request, handle: str, name: str, image: str, tag: str) -> Response:
        found = gate.tag(self.by, handle, name, image, tag)
        row = {name: getattr(found, name) for name in _OF_TAG}
        return self.answer(row | {"children": selectors.children_of(found)})
