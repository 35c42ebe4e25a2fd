"""The commands that fetch a manifest of an image from this registry."""

from django.conf import settings

from namespaces.manifests.pull_commands import PullCommand, pull_commands
from namespaces.media_types import Nature
from namespaces.models import Image


def commands_of(
    image: Image, digest: str, nature: Nature, *, tag: str = "", subject: str = ""
) -> list[PullCommand]:
    return pull_commands(
        host=settings.REGISTRY_HOST,
        repository=image.repository,
        tag=tag,
        digest=digest,
        nature=nature,
        tls=not settings.PUBLIC_URL.startswith("http://"),
        subject=subject,
        public=image.namespace.public,
    )
