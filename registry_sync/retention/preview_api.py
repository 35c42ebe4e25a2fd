"""What a retention rule would do to an image now: each tag with its reason, and all of them in a few lines."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.openapi import operation
from accounts.api.serializers import Moment, Strict
from accounts.api.view import ApiView
from accounts.common.errors import NotFound
from accounts.common.translation import translate
from namespaces.models import Image
from registry_sync.deletion.freed_space import FreedSpace
from registry_sync.deletion.freed_space_api import FreedSpaceSerializer
from registry_sync.models import RetentionRule
from registry_sync.retention import preview, service, texts
from registry_sync.retention.policy import Decision, Reason, find_blocker
from registry_sync.retention.preview import RetentionPreview

DECISIONS = [decision.value for decision in Decision]
REASONS = [reason.value for reason in Reason]


class PreviewQuery(Strict):
    image = serializers.CharField(
        default="",
        allow_blank=True,
        help_text="One of `images`. Empty: the rule’s own image; a rule of a namespace then lists no tags.",
    )


class DecisionSerializer(serializers.Serializer[Any]):
    tag = serializers.CharField()
    digest = serializers.CharField()
    version = serializers.CharField(
        help_text="The tag of this digest that says most: they stay or go together."
    )
    decision = serializers.ChoiceField(
        DECISIONS,
        help_text="`delete`: with its image. `untag`: the tag alone, because something else needs the image.",
    )
    reason = serializers.CharField()


class ReasonGroupSerializer(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(DECISIONS)
    reason_code = serializers.ChoiceField(REASONS)
    reason = serializers.CharField(help_text="For people.")
    version_count = serializers.IntegerField()
    tag_count = serializers.IntegerField()
    size_bytes = serializers.IntegerField(
        help_text="What a client downloads of each version: layers that versions share count for each."
    )


class PulledVersionSerializer(serializers.Serializer[Any]):
    version = serializers.CharField(source="version.name")
    digest = serializers.CharField(source="version.digest")
    last_pulled_at = Moment(source="version.pulled_at")


class RetentionPreviewSerializer(FreedSpaceSerializer):
    blocked_reason = serializers.CharField(
        allow_blank=True, help_text="Why nothing would be removed now; empty: it would."
    )
    images = serializers.ListField(
        child=serializers.CharField(), help_text="The images that the rule covers."
    )
    uncertain = serializers.BooleanField(
        help_text="The image would be skipped now: its tags are not known for certain until the next sync."
    )
    removed_tag_count = serializers.IntegerField()
    kept_tag_count = serializers.IntegerField()
    groups = ReasonGroupSerializer(
        many=True, help_text="Of the one image, those that are deleted first. A version is in one group."
    )
    removed_though_pulled = PulledVersionSerializer(
        many=True, help_text="What would go though it was pulled in the last 30 days, the latest first."
    )
    tags = DecisionSerializer(many=True, help_text="Of the one image.")


class Preview(ApiView):
    @operation("retention_preview", answer=RetentionPreviewSerializer, query=PreviewQuery)
    def get(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Show what it would do to one image now, and why each tag stays or goes. Changes nothing."""
        row = service.load(self.by, handle, name, id)
        now, images = timezone.now(), service.images_of(row)
        chosen = self.query["image"] or row.image_name
        if self.query["image"] and chosen not in images:
            raise NotFound
        blocker = find_blocker(service.rule_of(row), preview.load_evidence(), now)
        images_of_namespace = Image.objects.select_related("namespace__account").filter(
            namespace=row.namespace
        )
        image = images_of_namespace.filter(name=chosen).first()
        found = preview.preview_image(service.rule_of(row), image, now) if image else None
        reason = texts.BLOCKERS[blocker] if blocker else found.blocked_reason if found else ""
        return self.answer(
            _NO_IMAGE
            | (_of_image(found, row) if found else {})
            | {"images": images, "blocked_reason": translate(reason)}
        )


_NO_IMAGE: dict[str, Any] = {
    "uncertain": False,
    "removed_tag_count": 0,
    "kept_tag_count": 0,
    **asdict(FreedSpace()),
    "groups": [],
    "removed_though_pulled": [],
    "tags": [],
}


def _of_image(found: RetentionPreview, row: RetentionRule) -> dict[str, Any]:
    rule = service.rule_of(row)
    return {
        "uncertain": preview.is_uncertain(found.image),
        "removed_tag_count": found.removed_tag_count,
        "kept_tag_count": found.kept_tag_count,
        **asdict(preview.space_of(found)),
        "groups": [
            {"decision": each.decision.value, "reason_code": each.reason.value, "reason": texts.of_group(each, rule),
             "version_count": each.version_count, "tag_count": each.tag_count, "size_bytes": each.size_bytes}
            for each in preview.groups_of(found)
        ],
        "removed_though_pulled": preview.removed_though_used(found, timezone.now()),
        "tags": [
            {"tag": name, "digest": each.version.digest, "version": each.version.name,
             "decision": each.decision.value, "reason": texts.of_decision(each, rule)}
            for each in found.decisions for name in each.version.names
        ],
    }  # fmt: skip
