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
from registry_sync.models import DiagnosticRun, SyncRun
from registry_sync.operations import permissions, service

LIFE_STATES = ["works", "silent", "never", "unknown"]
CHECK_STATES = ["ok", "warn", "fail", "skipped", "pending"]
CHECKUP_STATES = [state.value for state in DiagnosticRun.State]
DROPPED_KINDS = [kind.value for kind in DropCounter.Kind]


class PulseSerializer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(["worker", "beat"])
    at = Moment(allow_null=True, help_text="The last sign of life.")
    state = serializers.ChoiceField(LIFE_STATES)


class SystemRunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(SyncRun.State.values)
    requested_by = serializers.CharField()
    requested_at = Moment()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)
    repositories_total = serializers.IntegerField()
    repositories_done = serializers.IntegerField()
    requests = serializers.IntegerField()
    changes = serializers.IntegerField()
    unreadable = serializers.IntegerField(
        help_text="Repositories that could not be read, or not all of them."
    )
    quick = serializers.BooleanField(help_text="A quick pass: known tags were not asked about.")
    problem = serializers.CharField()
    deletions_approved = serializers.BooleanField(help_text="An operator agreed that much may go.")


class DroppedSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(DROPPED_KINDS)
    count = serializers.IntegerField()
    first_at = Moment()
    last_at = Moment()


class RollbackSerializer(serializers.Serializer[Any]):
    run = serializers.IntegerField()
    tags = serializers.IntegerField(
        help_text="How many point again, without an event, at what they had left."
    )
    found_at = Moment()


class SystemSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(selectors.FRESHNESS_STATES)
    last_event_at = Moment(allow_null=True)
    pulses = PulseSerializer(many=True)
    events_waiting = serializers.IntegerField(help_text="At most 1000 are counted.")
    events_failed = serializers.IntegerField(help_text="At most 1000 are counted.")
    mails_waiting = serializers.IntegerField(
        help_text="Tried in vain, and tried again; at most 1000 are counted."
    )
    mails_given_up = serializers.IntegerField(help_text="After a day; at most 1000 are counted.")
    dropped = DroppedSerializer(many=True, help_text="What came at once and found no place in a bound.")
    held = SystemRunSerializer(allow_null=True, help_text="The run that waits for an operator.")
    rolled_back = RollbackSerializer(
        allow_null=True,
        help_text="That the registry was rolled back, as one restored from a backup; for a week.",
    )


class LetGoBody(Strict):
    typed = serializers.CharField(help_text=f"“{service.LET_GO}”, as confirmation.")


class FixSerializer(serializers.Serializer[Any]):
    where = serializers.CharField()
    lines = serializers.CharField()


class CheckSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Stable.")
    title = serializers.CharField()
    state = serializers.ChoiceField(CHECK_STATES)
    text = serializers.CharField()
    fixes = FixSerializer(many=True)


class CheckupSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(CHECKUP_STATES)
    requested_by = serializers.CharField()
    requested_at = Moment()
    finished_at = Moment(allow_null=True)
    failed = serializers.IntegerField(help_text="How many checks failed.")
    results = CheckSerializer(many=True, source="found")


class System(ApiView):
    @operation("system_read", answer=SystemSerializer)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        now, counts, mails = timezone.now(), selectors.event_counts(), outbox.counts()
        return self.answer(
            {
                "state": selectors.freshness(now).state, "pulses": selectors.component_health(now),
                "last_event_at": selectors.last_event_at(), "held": selectors.run_needing_approval(),
                "rolled_back": selectors.rolled_back(now),
                "events_waiting": counts["waiting"], "events_failed": counts["failed"],
                "mails_waiting": mails["waiting"], "mails_given_up": mails["given_up"],
                "dropped": dropped(),
            }
        )  # fmt: skip


class Runs(ApiView):
    @operation("system_runs_list", answer=SystemRunSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        return self.page(selectors.runs())

    @operation("system_runs_ask", answer=SystemRunSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Ask for a sync. Return the run that will answer: one that waits already, or a new one."""
        account_permissions.operator(self.by)
        return self.answer(jobs.request_sync(by=self.by))


class LetGo(ApiView):
    @operation("system_runs_agree", body=LetGoBody, answer=SystemRunSerializer, status=202)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        """Agree that what the run was held for goes from the panel. Return the run that will do it."""
        run = permissions.held_run(self.by, id)
        return self.answer(service.let_them_go(by=self.by, run=run, **self.data()))


class Checkups(ApiView):
    @operation("doctor_list", answer=CheckupSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        return self.page(selectors.checkups())

    @operation("doctor_ask", answer=CheckupSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Ask for a checkup. Return the one that will answer; its row fills within half a minute."""
        account_permissions.operator(self.by)
        return self.answer(jobs.request_checkup(by=self.by))
