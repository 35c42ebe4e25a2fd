"""The pull commands of a manifest, for this installation's registry."""

from django.conf import settings

from namespaces.manifests.pull_commands import PullCommand, pull_commands
from namespaces.media_types import ArtifactKind
from namespaces.models import Image


def commands_of(
    image: Image, digest: str, artifact_kind: ArtifactKind, *, tag: str = "", subject: str = ""
) -> list[PullCommand]:
    return pull_commands(
        host=settings.REGISTRY_HOST,
        repository=image.repository,
        tag=tag,
        digest=digest,
        artifact_kind=artifact_kind,
        tls=not settings.PUBLIC_URL.startswith("http://"),
        subject=subject,
        public=image.namespace.public,
    )
