"""Retention rules of a namespace: what they keep, what they would remove, and how they ended."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.openapi import operation
from accounts.api.serializers import Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid, NotFound
from accounts.roles import Permission
from namespaces import permissions
from namespaces.models import Image
from registry_sync.models import RetentionRule, RetentionRun
from registry_sync.retention import preview, runs, service, texts
from registry_sync.retention.policy import Fate, doubt

RUN_STATES = [state.value for state in RetentionRun.State]
FATES = [fate.value for fate in Fate]


class RetentionLinesBody(Strict):
    """What is not given stays: a line that protects must not go because another was changed."""

    keep_last = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="The newest so many versions, each a digest with all its tags; null: none for being new.",
    )
    keep_days = serializers.IntegerField(
        required=False, allow_null=True, help_text="Pushed within so many days."
    )
    keep_pulled_days = serializers.IntegerField(
        required=False, allow_null=True, help_text="Pulled within so many days."
    )
    keep_checked = serializers.BooleanField(
        required=False, help_text="Whether a check counts as a pull: asked for, and had already."
    )
    keep_pattern = serializers.CharField(
        required=False, allow_blank=True, help_text="Names, with `*` and `?`."
    )
    protect_pattern = serializers.CharField(
        required=False, allow_blank=True, help_text="These never go, whatever else is said."
    )


class RetentionRuleBody(RetentionLinesBody):
    """A line that is not given keeps nothing."""

    image = serializers.CharField(
        default="", allow_blank=True, help_text="Empty: all images that have no rule of their own."
    )


class RetentionSwitchBody(Strict):
    enabled = serializers.BooleanField()


class RetentionRuleSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    image = serializers.CharField(source="image_name", allow_blank=True)
    enabled = serializers.BooleanField()
    keep_last = serializers.IntegerField(allow_null=True)
    keep_days = serializers.IntegerField(allow_null=True)
    keep_pulled_days = serializers.IntegerField(allow_null=True)
    keep_checked = serializers.BooleanField()
    keep_pattern = serializers.CharField(allow_blank=True)
    protect_pattern = serializers.CharField(allow_blank=True)
    counted_anew = serializers.BooleanField(
        help_text="It was on, and is off because an upgrade changed what it removes; see its preview."
    )


class RemovedTagSerializer(serializers.Serializer[Any]):
    image = serializers.CharField()
    tag = serializers.CharField()
    digest = serializers.CharField()


class RetentionRunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(RUN_STATES)
    requested_by = serializers.CharField()
    started_at = Moment()
    finished_at = Moment(allow_null=True)
    kept = serializers.IntegerField()
    removed_count = serializers.IntegerField()
    removed = RemovedTagSerializer(many=True, help_text="At most 1,000.")
    problem = serializers.CharField(allow_blank=True)


class PreviewQuery(Strict):
    image = serializers.CharField(
        default="", allow_blank=True, help_text="One of `images`; empty: the rule’s own, or no tags are told."
    )


class DecisionSerializer(serializers.Serializer[Any]):
    tag = serializers.CharField()
    digest = serializers.CharField()
    version = serializers.CharField(
        help_text="The tag of this digest that says most: they stay or go together."
    )
    fate = serializers.ChoiceField(
        FATES, help_text="`go`: with its image. `untag`: the name only; something else needs the image."
    )
    reason = serializers.CharField()


class RetentionPreviewSerializer(serializers.Serializer[Any]):
    doubt = serializers.CharField(
        allow_blank=True, help_text="Why nothing would be removed now; empty: it would."
    )
    images = serializers.ListField(child=serializers.CharField(), help_text="Those that the rule is for.")
    tags = DecisionSerializer(many=True, help_text="Of the one image.")


class Rules(ApiView):
    @operation("retention_list", answer=RetentionRuleSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, name: str) -> Response:
        namespace = permissions.namespace(self.by, handle, name)
        return self.page(RetentionRule.objects.filter(namespace=namespace).order_by("image_name"))

    @operation("retention_create", body=RetentionRuleBody, answer=RetentionRuleSerializer, status=201)
    def post(self, request: Request, handle: str, name: str) -> Response:
        """Off. Look at its preview, then switch it on."""
        namespace = permissions.namespace(self.by, handle, name, Permission.IMAGES_REMOVE)
        lines = self.data()
        image_name = lines.pop("image")
        try:
            row = service.create(by=self.by, namespace=namespace, image_name=image_name, lines=lines)  # type: ignore[arg-type]
        except Invalid as error:
            raise error.renamed(image_name="image") from None
        return self.answer(row)


class OneRule(ApiView):
    @operation("retention_read", answer=RetentionRuleSerializer)
    def get(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        return self.answer(service.load(self.by, handle, name, id))

    @operation("retention_change", body=RetentionLinesBody, answer=RetentionRuleSerializer)
    def patch(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Change the rule. A line that is not given stays. A rule that is on goes off, unless nothing changed."""
        row = service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(service.change(by=self.by, rule=row, lines=self.data()))  # type: ignore[arg-type]

    @operation("retention_delete", status=204)
    def delete(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        service.remove(by=self.by, rule=service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE))
        return self.answer()


class Switch(ApiView):
    @operation("retention_switch", body=RetentionSwitchBody, answer=RetentionRuleSerializer)
    def post(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        row = service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(service.switch(by=self.by, rule=row, on=self.data()["enabled"]))


class Preview(ApiView):
    @operation("retention_preview", answer=RetentionPreviewSerializer, query=PreviewQuery)
    def get(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Show what it would do to one image now, and why each tag stays or goes. Changes nothing."""
        row = service.load(self.by, handle, name, id)
        rule, now, images = service.pure(row), timezone.now(), service.images_of(row)
        chosen = self.query["image"] or row.image_name
        if self.query["image"] and chosen not in images:
            raise NotFound
        unsure = doubt(rule, preview.knowledge(), now)
        image = (
            Image.objects.select_related("namespace__account")
            .filter(namespace=row.namespace, name=chosen)
            .first()
        )
        found = preview.of(rule, image, now) if image else None
        return self.answer({
            "doubt": texts.of_doubt(unsure) if unsure else found.unread if found else "",
            "images": images,
            "tags": [
                {"tag": name, "digest": each.version.digest, "version": each.version.name,
                 "fate": each.fate.value, "reason": texts.of_decision(each, rule)}
                for each in (found.decisions if found else []) for name in each.version.names
            ],
        })  # fmt: skip


class Runs(ApiView):
    @operation("retention_runs", answer=RetentionRunSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """List its runs, the last one first."""
        return self.page(service.load(self.by, handle, name, id).runs.order_by("-id"))

    @operation("retention_run", answer=RetentionRunSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Now, on or off. Removes what the preview shows."""
        row = service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(runs.start(by=self.by, rule=row))
