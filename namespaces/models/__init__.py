from namespaces.models.grant import Grant
from namespaces.models.history import Pull, Revision, TagMove, Usage
from namespaces.models.image import HOLDS, Image
from namespaces.models.label import Label
from namespaces.models.manifest import Manifest, Part
from namespaces.models.namespace import CatalogRead, Namespace, ReservedName
from namespaces.models.tag import NEVER, Tag

__all__ = [
    "HOLDS",
    "NEVER",
    "CatalogRead",
    "Grant",
    "Image",
    "Label",
    "Manifest",
    "Namespace",
    "Part",
    "Pull",
    "ReservedName",
    "Revision",
    "Tag",
    "TagMove",
    "Usage",
]
