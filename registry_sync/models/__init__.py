"""The rows of our dealings with the registry: what it reported, what was read, and what is due; and of backups."""

from registry_sync.models.backup import Backup, Restoration
from registry_sync.models.diagnostic_run import DiagnosticRun
from registry_sync.models.event import Event
from registry_sync.models.purge import Purge
from registry_sync.models.quarantine import QuarantinedWork, WorkerCrash
from registry_sync.models.reclaim import Reclaim
from registry_sync.models.removal import Removal, RemovalItem
from registry_sync.models.repository import Repository
from registry_sync.models.retention import RetentionRule, RetentionRun
from registry_sync.models.run import Drift, Lease, Marker, Shard, SyncRun

__all__ = [
    "Backup",
    "DiagnosticRun",
    "Drift",
    "Event",
    "Lease",
    "Marker",
    "Purge",
    "QuarantinedWork",
    "Reclaim",
    "Removal",
    "RemovalItem",
    "Repository",
    "Restoration",
    "RetentionRule",
    "RetentionRun",
    "Shard",
    "SyncRun",
    "WorkerCrash",
]
