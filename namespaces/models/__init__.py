from namespaces.models.grant import Grant
from namespaces.models.history import FormerManifest, PullStats, RepositoryManifest, TagHistoryEntry, Usage
from namespaces.models.image import HAS_CONTENT, Image
from namespaces.models.label import Label
from namespaces.models.ledger import LedgerEntry, LedgerTotal
from namespaces.models.manifest import Descriptor, Manifest, ManifestSummary, kind_in_lists, named_platforms
from namespaces.models.namespace import SERVED, CatalogRead, Namespace, ReservedName
from namespaces.models.readme import Readme
from namespaces.models.tag import NEVER, Tag
from namespaces.models.webhook import DenialWatch, Webhook, WebhookDelivery

__all__ = [
    "HAS_CONTENT",
    "NEVER",
    "SERVED",
    "CatalogRead",
    "DenialWatch",
    "Descriptor",
    "FormerManifest",
    "Grant",
    "Image",
    "Label",
    "LedgerEntry",
    "LedgerTotal",
    "Manifest",
    "ManifestSummary",
    "Namespace",
    "PullStats",
    "Readme",
    "RepositoryManifest",
    "ReservedName",
    "Tag",
    "TagHistoryEntry",
    "Usage",
    "Webhook",
    "WebhookDelivery",
    "kind_in_lists",
    "named_platforms",
]
