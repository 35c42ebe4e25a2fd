"""How what people wait for stands: a run, a checkup, a removal, a purge, a rule at work (accounts/live_updates.py)."""

from django.http import HttpRequest

from accounts import live_updates
from accounts.live_updates import For, Thing
from accounts.models import IdTokenIssuer
from registry_sync import heartbeats
from registry_sync.models import DiagnosticRun, Purge, Removal, RetentionRun, SyncRun
from registry_sync.selectors import RUN_SILENT_AFTER

live_updates.THINGS |= {
    "sync run": Thing(
        "r.state, r.repositories_done, r.repositories_total, r.requests, r.changes,"
        " COALESCE(r.heartbeat_at, r.started_at, r.requested_at) < %(then)s",
        "LEFT JOIN registry_sync_syncrun r ON r.id = %(key)s",
        shown=For.EVERYBODY,
        ago=RUN_SILENT_AFTER,
    ),
    "checkup": Thing(
        "c.state, h.at < %(then)s",
        "LEFT JOIN registry_sync_diagnosticrun c ON c.id = %(key)s"
        " LEFT JOIN registry_sync_marker h ON h.name = 'worker'",
        shown=For.OPERATORS,
        ago=heartbeats.SILENT_AFTER,
    ),
    "issuer": Thing(
        "i.tried_at, i.next_try_at, i.jwks_at",
        "LEFT JOIN accounts_idtokenissuer i ON i.id = %(key)s AND i.account_id IS NULL",
        shown=For.OPERATORS,
    ),
    "removal": Thing(
        "r.state, r.problem, (SELECT COUNT(*) FROM registry_sync_removalitem t"
        " WHERE t.removal_id = r.id AND t.state = 'waiting')",
        "LEFT JOIN registry_sync_removal r ON r.id = %(key)s AND EXISTS ("
        "SELECT 1 FROM namespaces_image i JOIN namespaces_namespace n ON n.id = i.namespace_id"
        " WHERE i.id = r.image_id AND n.account_id = %(account)s)",
    ),
    "purge": Thing(
        "w.state, w.planned_at, w.kept, (SELECT COUNT(*) FROM registry_sync_removal r"
        " WHERE r.purge_id = w.id AND r.state = 'waiting'), (SELECT COUNT(*) FROM registry_sync_removal r"
        " JOIN registry_sync_removalitem t ON t.removal_id = r.id WHERE r.purge_id = w.id AND t.state = 'waiting')",
        "LEFT JOIN registry_sync_purge w ON w.id = %(key)s AND EXISTS ("
        "SELECT 1 FROM namespaces_namespace n WHERE n.id = w.namespace_id AND n.account_id = %(account)s)",
    ),
    "retention run": Thing(
        "r.state, r.planned_at, r.removed_count",
        "LEFT JOIN registry_sync_retentionrun r ON r.id = %(key)s AND EXISTS ("
        "SELECT 1 FROM registry_sync_retentionrule t JOIN namespaces_namespace n ON n.id = t.namespace_id"
        " WHERE t.id = r.rule_id AND n.account_id = %(account)s)",
    ),
}


def note_of_sync(request: HttpRequest, run: SyncRun) -> str:
    return live_updates.note(request, "sync run", run.pk)


def note_of_diagnostic_run(request: HttpRequest, run: DiagnosticRun) -> str:
    return live_updates.note(request, "checkup", run.pk)


def note_of_issuer(request: HttpRequest, issuer: IdTokenIssuer) -> str:
    return live_updates.note(request, "issuer", issuer.pk)


def note_of_removal(request: HttpRequest, removal: Removal) -> str:
    return live_updates.note(request, "removal", removal.pk, account=removal.image.namespace.account_id)


def note_of_purge(request: HttpRequest, purge: Purge) -> str:
    return live_updates.note(request, "purge", purge.pk, account=purge.namespace.account_id)


def note_of_retention(request: HttpRequest, run: RetentionRun) -> str:
    return live_updates.note(request, "retention run", run.pk, account=run.rule.namespace.account_id)
