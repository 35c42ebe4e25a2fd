from namespaces.models.grant import Grant
from namespaces.models.image import Image
from namespaces.models.manifest import Manifest
from namespaces.models.namespace import Namespace, ReservedName
from namespaces.models.tag import Tag

__all__ = ["Grant", "Image", "Manifest", "Namespace", "ReservedName", "Tag"]
