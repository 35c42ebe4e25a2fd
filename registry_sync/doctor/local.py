"""What the panel knows of itself: database, broker, heartbeats, certificates."""

import shutil
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from celery import current_app
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from accounts.common.database_errors import Outage, first_line, outage_of
from accounts.common.lazy_text import lazy as _
from accounts.common.secret_files import SecretFileError
from accounts.models import AuditEvent
from accounts.sso import provider
from accounts.sso.provider import ProviderError
from registry_sync import backup_due, heartbeats, shared_keys
from registry_sync.doctor import event_probe, panel, result
from registry_sync.doctor.observations import Certificate, PanelSettings
from registry_sync.doctor.result import Finding
from registry_sync.models import Backup, Marker
from registry_sync.tokens import ca

FIRST_SIGN = 3  # seconds


def panel_settings() -> PanelSettings:
    folder = Path(settings.SECRETS_DIR)
    return PanelSettings(
        public_url=settings.PUBLIC_URL, registry_url=settings.REGISTRY_URL, registry_host=settings.REGISTRY_HOST,
        service=settings.TOKEN_SERVICE, issuer=settings.TOKEN_ISSUER, hook_file=str(folder / "hook.key"),
        realm=settings.TOKEN_URL, events_url=settings.EVENTS_URL or f"{settings.PUBLIC_URL}/registry/events",
        ca_file=str(folder / ca.CA_CERTIFICATE), ca_fingerprint=_fingerprint(folder),
        is_cache=settings.REGISTRY_IS_PULL_THROUGH_CACHE, slow=settings.DOCTOR_SLOW,
    )  # fmt: skip


def database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        missing = [str(migration) for migration, _backwards in plan]
        if not missing:
            heartbeats.note(Marker.DOCTOR, timezone.now())  # it must take writes too
    except DatabaseError as error:
        unknown = outage_of(error) is Outage.POOLER
        return panel.database(first_line(error), [], unknown_pooler=unknown)
    return panel.database("", missing)


def sign_in_provider() -> Finding:
    problem = ""
    if settings.OIDC_ISSUER:
        try:
            provider.look()
        except ProviderError as error:
            problem = error.detail
    return panel.sign_in_provider(settings.OIDC_ISSUER, problem)


def limits() -> Finding:
    if settings.DATABASE_POOLER == "none":  # they come with each connection, or it is refused
        return result.ok(_("No statement can block the others for long."))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting::int, current_user FROM pg_settings WHERE name = ANY(%s)",
            [list(settings.DATABASE_TIMEOUTS)],
        )
        rows = cursor.fetchall()
    timeouts = {name: milliseconds for name, milliseconds, _role in rows}
    return panel.limits(settings.DATABASE_TIMEOUTS, timeouts, rows[0][2])


def disk() -> Finding:
    folder = Path(settings.DATA_DIR)
    return panel.disk(shutil.disk_usage(folder).free, str(folder))


def broker() -> Finding:
    error = ""
    try:
        with current_app.connection_for_write() as wire:
            wire.ensure_connection(max_retries=1, interval_start=0, timeout=3, reraise_as_library_errors=True)
    except (BrokerError, OSError) as problem:
        error = type(problem.__cause__ or problem).__name__
    return panel.broker(error, redis=bool(settings.REDIS))


def worker(now: datetime) -> Finding:
    asked = not heartbeats.is_silent(heartbeats.last(Marker.BEAT), now)
    return panel.worker(heartbeats.worker_at(), now, heartbeats.SILENT_AFTER, asked=asked)


def schedule(now: datetime) -> Finding:
    if not heartbeats.last(Marker.BEAT):  # all was started a moment ago
        event_probe.wait_until(lambda: bool(heartbeats.last(Marker.BEAT)), FIRST_SIGN)
    return panel.schedule(heartbeats.last(Marker.BEAT), now, heartbeats.SILENT_AFTER)


def audit_log(now: datetime) -> Finding:
    outcomes = (Marker.AUDIT_LOG_CHANGED, Marker.AUDIT_LOG_UNVERIFIED, Marker.AUDIT_LOG_INTACT)
    last = heartbeats.read_markers(*outcomes)
    first_event_at = AuditEvent.objects.order_by("id").values_list("at", flat=True).first()
    return panel.audit_log(*map(last.get, outcomes), first_event_at=first_event_at, now=now)


def backup(now: datetime) -> Finding:
    last = Backup.objects.first()
    return panel.backup(
        last.at if last else None,
        last.by if last else "",
        days=settings.BACKUP_DAYS,
        due_at=backup_due.due_at(last),
        now=now,
    )


def certificates(now: datetime) -> Finding:
    folder = Path(settings.SECRETS_DIR)
    try:
        leaf, root = ca.load_pair(folder / ca.LEAF), ca.load_ca(folder)
        ca.leaf_needs_renewal(folder / ca.LEAF, root.certificate, now)
    except SecretFileError as error:
        return result.fail(str(error))
    return panel.certificates(
        Certificate("leaf", leaf.certificate.not_valid_after_utc, str(folder / ca.LEAF)),
        Certificate("authority", root.certificate.not_valid_after_utc, str(folder / ca.CA_CERTIFICATE)),
        now,
    )


def machine_keys(now: datetime) -> Finding:
    shared_keys.note(now)  # of this one too, where all was started a moment ago
    return panel.machine_keys(shared_keys.by_machine(now), str(settings.SECRETS_DIR))


def _fingerprint(folder: Path) -> str:
    try:
        certificate = ca.load_certificate(folder / ca.CA_CERTIFICATE)
    except SecretFileError:
        return "(our own cannot be read)"
    digits = sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    return "sha256 Fingerprint=" + ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
