"""What the border with the registry remembers: what it was told, what it read, and what is due."""

from registry_sync.models.aside import Aside, Death
from registry_sync.models.checkup import Checkup
from registry_sync.models.event import Event
from registry_sync.models.purge import Purge
from registry_sync.models.removal import Removal, RemovalItem
from registry_sync.models.repository import Repository
from registry_sync.models.retention import RetentionRule, RetentionRun
from registry_sync.models.run import Drift, Heartbeat, Lease, Shard, SyncRun

__all__ = [
    "Aside",
    "Checkup",
    "Death",
    "Drift",
    "Event",
    "Heartbeat",
    "Lease",
    "Purge",
    "Removal",
    "RemovalItem",
    "Repository",
    "RetentionRule",
    "RetentionRun",
    "Shard",
    "SyncRun",
]
