"""How the installation goes: for operators; to others none of this is there."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import outbox
from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.models import DropCounter
from accounts.selectors import dropped
from registry_sync import jobs, selectors
from registry_sync.doctor import result
from registry_sync.models import DiagnosticRun, SyncRun
from registry_sync.operations import permissions, service
from registry_sync.operations.installation import installation

LIFE_STATES = ["works", "silent", "never", "unknown"]
CHECK_STATES = [state.value for state in result.State]
DIAGNOSTIC_RUN_STATES = [state.value for state in DiagnosticRun.State]
DROPPED_KINDS = [kind.value for kind in DropCounter.Kind]


class HeartbeatSerializer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(["worker", "beat"])
    last_seen_at = Moment(source="at", allow_null=True)
    state = serializers.ChoiceField(LIFE_STATES)


class SystemRunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(SyncRun.State.values)
    requested_by = serializers.CharField()
    requested_at = Moment()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    repository_count = serializers.IntegerField(source="repositories_total")
    read_repository_count = serializers.IntegerField(source="repositories_done")
    unreadable_repository_count = serializers.IntegerField(
        source="unreadable", help_text="Could not be read, or not completely."
    )
    request_count = serializers.IntegerField(source="requests")
    change_count = serializers.IntegerField(source="changes")
    quick = serializers.BooleanField(help_text="A quick check: known tags were not read again.")
    problem = serializers.CharField()
    deletions_approved = serializers.BooleanField(help_text="An operator approved that much is deleted.")


class DroppedSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(DROPPED_KINDS)
    count = serializers.IntegerField()
    first_dropped_at = Moment(source="first_at")
    last_dropped_at = Moment(source="last_at")


class RollbackSerializer(serializers.Serializer[Any]):
    run_id = serializers.IntegerField(source="run")
    tag_count = serializers.IntegerField(
        source="tags", help_text="Tags that point to an earlier digest again, although no event reported it."
    )
    found_at = Moment()


class InstallationSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    database = serializers.CharField(help_text="Its name and version.")
    database_bytes = serializers.IntegerField()
    stored_bytes = serializers.IntegerField(
        help_text="In the registry, as last measured; layers that accounts share count in each."
    )
    tagged_bytes = serializers.IntegerField(
        source="everybody.tagged_bytes", help_text="What tags reach; a blob counts once in the registry."
    )
    untagged_bytes = serializers.IntegerField(
        source="everybody.untagged_bytes", help_text="What the registry holds and no tag reaches."
    )
    uncollected_bytes = serializers.IntegerField(
        source="everybody.uncollected_bytes",
        help_text="Deleted, and on the registry’s disk until its garbage collection; as far as it is known.",
    )
    counted_at = Moment(source="everybody.counted_at", allow_null=True)
    person_count = serializers.IntegerField()
    account_count = serializers.IntegerField(help_text="Those that are not closed.")
    disk_free_bytes = serializers.IntegerField(
        source="disk_free", help_text="Of DATA_DIR where the database is there; else 0."
    )


class SystemSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(selectors.FRESHNESS_STATES)
    last_event_at = Moment(allow_null=True)
    heartbeats = HeartbeatSerializer(many=True)
    waiting_event_count = serializers.IntegerField(help_text="Counted up to 1000.")
    failed_event_count = serializers.IntegerField(help_text="Counted up to 1000.")
    waiting_mail_count = serializers.IntegerField(
        help_text="Could not be sent yet and will be retried; counted up to 1000."
    )
    undelivered_mail_count = serializers.IntegerField(help_text="Given up after a day; counted up to 1000.")
    dropped = DroppedSerializer(many=True, help_text="What was not kept, because a limit was reached.")
    installation = InstallationSerializer()
    run_needing_approval = SystemRunSerializer(allow_null=True)
    rollback = RollbackSerializer(
        allow_null=True,
        help_text="The registry was rolled back, for example restored from a backup; shown for a week.",
    )


class ApproveBody(Strict):
    confirmation = serializers.CharField(help_text=f"“{service.APPROVAL_PHRASE}”")


class FixSerializer(serializers.Serializer[Any]):
    location = serializers.CharField(source="where")
    text = serializers.CharField(source="lines")


class CheckSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Stable.")
    title = serializers.CharField()
    state = serializers.ChoiceField(CHECK_STATES)
    message = serializers.CharField(source="text")
    fixes = FixSerializer(many=True)


class DiagnosticRunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(DIAGNOSTIC_RUN_STATES)
    requested_by = serializers.CharField()
    requested_at = Moment()
    finished_at = Moment(allow_null=True)
    failed_count = serializers.IntegerField(source="failed", help_text="How many checks failed.")
    checks = CheckSerializer(many=True, source="found")


class System(ApiView):
    @operation("system_read", answer=SystemSerializer)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        now, counts, mails = timezone.now(), selectors.event_counts(), outbox.counts()
        return self.answer(
            {
                "state": selectors.freshness(now).state,
                "heartbeats": selectors.component_health(now),
                "last_event_at": selectors.last_event_at(),
                "run_needing_approval": selectors.run_needing_approval(),
                "rollback": selectors.rolled_back(now),
                "waiting_event_count": counts["waiting"],
                "failed_event_count": counts["failed"],
                "waiting_mail_count": mails["waiting"],
                "undelivered_mail_count": mails["given_up"],
                "dropped": dropped(),
                "installation": installation(),
            }
        )


class Runs(ApiView):
    @operation("system_runs_list", answer=SystemRunSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        return self.page(selectors.runs())

    @operation("system_runs_start", answer=SystemRunSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Request a sync. Return the run that does it: one that is already waiting, or a new one."""
        account_permissions.operator(self.by)
        return self.answer(jobs.request_sync(by=self.by))


class ApproveRun(ApiView):
    @operation("system_runs_approve", body=ApproveBody, answer=SystemRunSerializer, status=202)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        """Approve the deletions for which the run was stopped. Return the run that makes them."""
        run = permissions.run_needing_approval(self.by, id)
        return self.answer(service.approve_deletions(by=self.by, run=run, **self.data()))


class DiagnosticRuns(ApiView):
    @operation("doctor_list", answer=DiagnosticRunSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        return self.page(selectors.diagnostic_runs())

    @operation("doctor_start", answer=DiagnosticRunSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Start a diagnostic run and return it; it is complete within half a minute."""
        account_permissions.operator(self.by)
        return self.answer(jobs.request_diagnostic_run(by=self.by))
