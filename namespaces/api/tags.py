"""Tags of an image."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.operation import operation
from accounts.api.shapes import SEARCH_MAX, Moment, SearchQuery
from accounts.api.view import ApiView
from namespaces import gate
from namespaces.inside import held, pulls
from namespaces.inside.attached import attached_to
from namespaces.lists import plans, tag_list

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


class ReferrerSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField()
    what = serializers.CharField(source="nature.words", help_text="As in `cosign signature`, `SPDX SBOM`.")
    subject = serializers.CharField(help_text="The digest it is about: the tag's, or one of its platforms'.")
    tag = serializers.CharField(allow_blank=True, help_text="The technical tag that points right at it.")
    artifact_type = serializers.CharField(source="manifest.artifact_type", default="", allow_blank=True)
    created_at = Moment(source="manifest.created_at", default=None, allow_null=True)
    size = serializers.IntegerField(source="manifest.size", default=None, allow_null=True)


class PullerSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(
        allow_blank=True, help_text="Empty: not signed in, or of another account."
    )
    count = serializers.IntegerField()
    last_at = Moment()
    address = serializers.CharField(allow_blank=True)
    client = serializers.CharField(allow_blank=True)


class LinkSerializer(serializers.Serializer[Any]):
    word = serializers.CharField(help_text="As in `Source`, `Licence`.")
    text = serializers.CharField(help_text="As whoever pushed wrote it.")
    url = serializers.CharField(allow_blank=True, help_text="Only a plain http or https address; else empty.")


class TagDetailSerializer(TagSerializer):
    what = serializers.CharField(help_text="As in `Image`, `Multi-platform image`, `Helm chart`.")
    details = serializers.DictField(source="manifest.details", child=serializers.JSONField())
    children = ManifestSerializer(many=True, help_text="The platforms of an index that were read.")
    pulls = PullerSerializer(many=True, help_text="By whom, the last first, at most 50.")
    referrers = ReferrerSerializer(many=True, help_text="Signatures, SBOMs, attestations.")
    links = LinkSerializer(many=True)


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
        manifest = found.manifest
        row = {name: getattr(found, name) for name in _OF_TAG} | {
            "what": held.nature_of(manifest, found.name).words,
            "children": held.children(found.image, manifest),
            "pulls": pulls.pullers_of(found),
            "referrers": attached_to(found.image, manifest),
            "links": held.links_of(manifest, held.chosen_child(found.image, manifest)),
        }
        return self.answer(row)
