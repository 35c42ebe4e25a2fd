"""How true the inventory of the registry is, and asking for a fresh one."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment
from accounts.api.view import ApiView
from accounts.roles import Permission
from registry_sync import jobs, selectors
from registry_sync.models import SyncRun
from registry_sync.view_scope import ALL, visible_to

LAST = 20
RUN_STATES = SyncRun.State.values


class RunSerializer(serializers.Serializer[Any]):
    """Without counts, names and problems: a run speaks of the whole registry, and so of other accounts."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(RUN_STATES)
    progress_percent = serializers.IntegerField(source="percent")
    requested_at = Moment()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)


class SyncSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(selectors.FRESHNESS_STATES)
    last_event_at = Moment(
        allow_null=True,
        help_text="Null: no event yet. To the minute; operators see the second.",
    )
    last_check_at = Moment(allow_null=True, help_text="When the last full check ended that read everything.")
    current_run = RunSerializer(allow_null=True)
    recent_runs = RunSerializer(many=True, help_text=f"The last {LAST}, the newest first.")


class Sync(ApiView):
    @operation("sync_read", answer=SyncSerializer)
    def get(self, request: Request) -> Response:
        of = ALL if self.by.operator else visible_to(self.by.person_id, handle=self.by.only_account)
        freshness = selectors.freshness(timezone.now(), of=of, exact=self.by.operator)
        runs = list(selectors.runs()[:LAST])
        return self.answer({
            "state": freshness.state, "last_event_at": freshness.event_at,
            "last_check_at": freshness.checked_at, "current_run": freshness.running, "recent_runs": runs,
        })  # fmt: skip


class AskForSync(ApiView):
    @operation("sync_start", answer=RunSerializer, status=202)
    def post(self, request: Request, handle: str) -> Response:
        """Request a sync. Return the run that does it: one that is already waiting, or a new one."""
        permissions.account(self.by, handle, Permission.SYNC_START)
        return self.answer(jobs.request_sync(by=self.by))
