"""Retention rules of a namespace: what they keep, and how their runs ended."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.openapi import operation
from accounts.api.serializers import Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid
from accounts.roles import Permission
from namespaces import permissions
from registry_sync.models import RetentionRule, RetentionRun
from registry_sync.retention import runs, service

RUN_STATES = [state.value for state in RetentionRun.State]


class RetentionConditionsBody(Strict):
    """What is not given stays as it is."""

    keep_last = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="How many of the newest versions, each a digest with all its tags; null: newness keeps none.",
    )
    keep_days = serializers.IntegerField(
        required=False, allow_null=True, help_text="Pushed within this many days."
    )
    keep_pulled_days = serializers.IntegerField(
        required=False, allow_null=True, help_text="Pulled within this many days."
    )
    keep_checked = serializers.BooleanField(required=False, help_text="Whether a check counts as a pull.")
    keep_pattern = serializers.CharField(
        required=False, allow_blank=True, help_text="Names, with `*` and `?`."
    )
    protect_pattern = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="These are never removed, whatever the other conditions say.",
    )


class RetentionRuleBody(RetentionConditionsBody):
    """A condition that is not given keeps nothing."""

    image = serializers.CharField(
        default="", allow_blank=True, help_text="Empty: all images that have no rule of their own."
    )


class RetentionPatchBody(RetentionConditionsBody):
    enabled = serializers.BooleanField(
        required=False, help_text="To enable a rule, send only this, after looking at its preview."
    )


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
    kept_tag_count = serializers.IntegerField(source="kept")
    removed_tag_count = serializers.IntegerField(source="removed_count")
    removed_tags = RemovedTagSerializer(source="removed", many=True, help_text="At most 1,000.")
    problem = serializers.CharField(allow_blank=True)


class Rules(ApiView):
    @operation("retention_list", answer=RetentionRuleSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, name: str) -> Response:
        namespace = permissions.namespace(self.by, handle, name)
        return self.page(RetentionRule.objects.filter(namespace=namespace).order_by("image_name"))

    @operation("retention_create", body=RetentionRuleBody, answer=RetentionRuleSerializer, status=201)
    def post(self, request: Request, handle: str, name: str) -> Response:
        """Create the rule, disabled. Look at its preview, then enable it."""
        namespace = permissions.namespace(self.by, handle, name, Permission.IMAGES_REMOVE)
        conditions: Any = self.data()
        image_name = conditions.pop("image")
        try:
            row = service.create(
                by=self.by, namespace=namespace, image_name=image_name, conditions=conditions
            )
        except Invalid as error:
            raise error.renamed(image_name="image") from None
        return self.answer(row)


class OneRule(ApiView):
    @operation("retention_read", answer=RetentionRuleSerializer)
    def get(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        return self.answer(service.load(self.by, handle, name, id))

    @operation("retention_update", body=RetentionPatchBody, answer=RetentionRuleSerializer)
    def patch(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Change, enable or disable the rule. Changing what it keeps disables it."""
        row = service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        conditions = self.data()
        enabled = conditions.pop("enabled", None)
        if enabled and conditions:
            raise Invalid.on("enabled", _("Look at the preview of the changed rule first, then enable it."))
        if conditions:
            row = service.change(by=self.by, rule=row, conditions=conditions)  # type: ignore[arg-type]
        if enabled is not None:
            row = service.set_enabled(by=self.by, rule=row, enabled=enabled)
        return self.answer(row)

    @operation("retention_delete", status=204)
    def delete(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        service.remove(by=self.by, rule=service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE))
        return self.answer()


class Runs(ApiView):
    @operation("retention_runs", answer=RetentionRunSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """List its runs, the last one first."""
        return self.page(service.load(self.by, handle, name, id).runs.order_by("-id"))

    @operation("retention_start", answer=RetentionRunSerializer, status=202)
    def post(self, request: Request, handle: str, name: str, id: int) -> Response:  # noqa: A002
        """Start a run now, of an enabled or disabled rule. Removes what the preview shows."""
        row = service.load(self.by, handle, name, id, Permission.IMAGES_REMOVE)
        return self.answer(runs.start(by=self.by, rule=row))
