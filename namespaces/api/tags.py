"""Tags of an image."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Moment, SearchQuery
from accounts.api.view import ApiView
from namespaces import permissions
from namespaces.listing import pg_plans, tag_list
from namespaces.manifests import pull_stats, queries
from namespaces.manifests.commands import commands_of
from namespaces.manifests.referrers import referrers_of
from namespaces.models import Image, Manifest

_OF_TAG = (
    "name", "pushed_at", "pushed_by", "last_pulled_at", "pull_count", "missing_since", "unreadable_since",
)  # fmt: skip


class PlatformSerializer(serializers.Serializer[Any]):
    platform = serializers.CharField(allow_blank=True, help_text="As in `linux/arm64/v8`.")
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField(
        source="size", allow_null=True, help_text="Null: its manifest is not here, or was not read yet."
    )


class OfManifestSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField(source="manifest.digest")
    kind = serializers.CharField(source="manifest.kind", help_text="`image`, `index`, `artifact`, `unknown`.")
    media_type = serializers.CharField(source="manifest.media_type")
    artifact_type = serializers.CharField(source="manifest.artifact_type", allow_blank=True)
    size_bytes = serializers.IntegerField(source="manifest.size", help_text="Of all platforms.")
    platforms = PlatformSerializer(source="manifest.platforms", many=True)
    created_at = Moment(source="manifest.created_at", allow_null=True, help_text="As the image says.")


class TagSerializer(OfManifestSerializer):
    name = serializers.CharField()
    type = serializers.CharField(
        source="what", help_text="As in `Image`, `OCI index`, `Helm chart`, `AI model (Ollama)`."
    )
    pushed_at = Moment(help_text="When it was first seen to point to this digest.")
    pushed_by = serializers.CharField(allow_blank=True, help_text="A username; empty if unknown.")
    last_pulled_at = Moment(allow_null=True, help_text="Null: no pull is known.")
    pull_count = serializers.IntegerField()
    missing_since = Moment(allow_null=True, help_text="Absent from the registry’s last complete list.")
    unreadable_since = Moment(allow_null=True, help_text="It is in the registry, but unreadable since then.")


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
    type = serializers.CharField(
        source="artifact_kind.label", help_text="As in `cosign signature`, `SPDX SBOM`."
    )
    subject = serializers.CharField(help_text="The digest it is about: the tag’s, or one of its platforms’.")
    tag = serializers.CharField(allow_blank=True, help_text="The technical tag that points directly to it.")
    artifact_type = serializers.CharField(allow_blank=True)
    created_at = Moment(source="manifest.created_at", default=None, allow_null=True)
    size_bytes = serializers.IntegerField(source="manifest.size", default=None, allow_null=True)


class PullerSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(
        allow_blank=True, help_text="Empty: not signed in, or of another account."
    )
    pull_count = serializers.IntegerField(source="count")
    last_pulled_at = Moment(source="last_at", allow_null=True, help_text="Null: it only checked.")
    check_count = serializers.IntegerField(
        source="checks", help_text="How often it only asked whether the tag had changed, and pulled nothing."
    )
    last_checked_at = Moment(source="checked_at", allow_null=True)
    client_ip = serializers.CharField(source="address", allow_blank=True)
    client = serializers.CharField(allow_blank=True)


class LinkSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(source="word", help_text="As in `Source`, `Licence`.")
    text = serializers.CharField(help_text="As written by whoever pushed it.")
    url = serializers.CharField(allow_blank=True, help_text="Only a plain http or https address; else empty.")


class CommandSerializer(serializers.Serializer[Any]):
    tool = serializers.CharField(source="title")
    by_tag = serializers.CharField(allow_blank=True, help_text="Empty: it has no tag, or not in this way.")
    by_digest = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True, help_text="What else it takes.")


class WholeSerializer(serializers.Serializer[Any]):
    """All that is known of a manifest, under a tag or without one."""

    type = serializers.CharField(
        source="what", help_text="As in `Image`, `Multi-platform image`, `Helm chart`."
    )
    details = serializers.DictField(source="manifest.details", child=serializers.JSONField())
    children = ManifestSerializer(many=True, help_text="The platforms of an index that were read.")
    referrers = ReferrerSerializer(many=True, help_text="Signatures, SBOMs, attestations.")
    links = LinkSerializer(many=True)
    commands = CommandSerializer(many=True, help_text="That fetch it, or verify what it is about.")


class TagDetailSerializer(TagSerializer, WholeSerializer):
    pulled_by = PullerSerializer(many=True, help_text="The last first, at most 50.")


class OneManifestSerializer(WholeSerializer, OfManifestSerializer):
    tags = serializers.ListField(
        child=serializers.CharField(), help_text="Tags that point to it, at most 20."
    )
    listed_in = serializers.ListField(
        child=serializers.CharField(), help_text="Digests of the indexes that list it, at most 20."
    )
    subject = serializers.CharField(
        allow_blank=True, help_text="The digest that it is about, as of a signature; else empty."
    )


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
        "A tag without pulls counts as pulled before all others.",
    )
    technical = serializers.BooleanField(
        default=False, help_text="Also tags that tools make from a digest, such as `sha256-….sig`."
    )


class Tags(ApiView):
    @operation("tags_list", answer=TagSerializer, pages=True, query=TagQuery)
    def get(self, request: Request, handle: str, name: str, image: str) -> Response:
        query, owner = self.query, permissions.image(self.by, handle, name, image)
        halves = (False, True) if query["technical"] else (False,)
        with pg_plans.by_value(query["search"]):
            found = tag_list.find_tags(owner, query["search"])
            return self.page(*(found.tags(sort=query["sort"], technical=half) for half in halves))


class OneTag(ApiView):
    @operation("tags_read", answer=TagDetailSerializer)
    def get(self, request: Request, handle: str, name: str, image: str, tag: str) -> Response:
        found = permissions.tag(self.by, handle, name, image, tag)
        row = {name: getattr(found, name) for name in _OF_TAG}
        whole = _whole(found.image, found.manifest, found.name)
        return self.answer(row | whole | {"pulled_by": pull_stats.pullers_of(found)[: pull_stats.SHOWN_MAX]})


class OneManifest(ApiView):
    @operation("manifests_read", answer=OneManifestSerializer)
    def get(self, request: Request, handle: str, name: str, image: str, digest: str) -> Response:
        """Show what an image holds by its digest, tagged or not: a platform, a signature, what a tag pointed at."""
        owner, found = permissions.manifest(self.by, handle, name, image, digest)
        more = {
            "tags": [tag.name for tag in queries.tags_of_digest(owner, digest)],
            "listed_in": [index.digest for index in queries.indexes_listing(owner, digest)],
        }
        return self.answer(_whole(owner, found) | more)


def _whole(image: Image, manifest: Manifest, tag: str = "") -> dict[str, Any]:
    artifact_kind, subject = queries.artifact_kind_of(manifest, tag), queries.subject_of(image, manifest, tag)
    about = subject.digest if subject else ""
    return {
        "manifest": manifest,
        "what": artifact_kind.label,
        "subject": about,
        "commands": commands_of(image, manifest.digest, artifact_kind, tag=tag, subject=about),
        "children": queries.platform_manifests(image, manifest),
        "referrers": referrers_of(image, manifest),
        "links": queries.links_of(manifest, queries.default_platform_manifest(image, manifest)),
    }
