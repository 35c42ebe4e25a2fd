"""The only room that speaks HTTP to the registry.

Built for a registry that may be down, slow, wrong or hostile: fixed base address, no proxy and no credential from
the environment, time-outs, bounded bodies, checked digests, redirects only for blobs and then without the token.
"""

from registry_sync.client.crawler import Sweep, TagsRead
from registry_sync.client.http import Registry
from registry_sync.client.responses import (
    CATALOG,
    MANIFEST_MAX,
    Declined,
    Faulty,
    Fetched,
    FirstForm,
    Missing,
    Refused,
    RegistryError,
    Silent,
    Unreachable,
)
from registry_sync.client.timing import Timing

__all__ = [
    "CATALOG",
    "MANIFEST_MAX",
    "Declined",
    "Faulty",
    "Fetched",
    "FirstForm",
    "Missing",
    "Refused",
    "Registry",
    "RegistryError",
    "Silent",
    "Sweep",
    "TagsRead",
    "Timing",
    "Unreachable",
]
