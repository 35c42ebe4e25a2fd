"""The only room that speaks HTTP to the registry.

Built for a registry that may be down, slow, wrong or hostile: fixed base address, no proxy and no credential from
the environment, time-outs, bounded bodies, checked digests, redirects only for blobs and then without the token.
"""

from registry_sync.client.crawler import RepositoryTags, TagCrawler
from registry_sync.client.http import RegistryClient
from registry_sync.client.responses import (
    CATALOG,
    MANIFEST_MAX,
    FetchedManifest,
    NoResponse,
    NotInRegistry,
    RegistryError,
    Rejected,
    Schema1Unsupported,
    ServerError,
    TemporaryFailure,
    Unauthorized,
)
from registry_sync.client.timing import Timing

__all__ = [
    "CATALOG",
    "MANIFEST_MAX",
    "FetchedManifest",
    "NoResponse",
    "NotInRegistry",
    "RegistryClient",
    "RegistryError",
    "Rejected",
    "RepositoryTags",
    "Schema1Unsupported",
    "ServerError",
    "TagCrawler",
    "TemporaryFailure",
    "Timing",
    "Unauthorized",
]
