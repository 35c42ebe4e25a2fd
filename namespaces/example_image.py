"""An image that a user has access to, for the example commands on the page that shows its password."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import RegistryUser
from accounts.views.login_snippets import Example
from namespaces.access import Level
from namespaces.manifests import queries
from namespaces.media_types import Group
from namespaces.models import Grant, Image, Tag

IMAGES_TRIED = 10


def example_of(user: RegistryUser) -> Example:
    """Return a pushed image if there is one, else a name the user may push to; an empty Example without grants."""
    grants = list(Grant.objects.filter(user=user).select_related("namespace").order_by("-image_name", "id"))
    for grant in grants:
        image = next(
            filter(_is_container_image, _candidate_images(grant).order_by("-pushed_at")[:IMAGES_TRIED]), None
        )
        if image:
            return Example(image.repository, image.latest_tag, may_push=grant.level >= Level.WRITE)
    if not grants:
        return Example()
    first = grants[0]
    may_push = first.level >= Level.WRITE
    name = f"{first.namespace.name}/{first.image_name or ('nginx' if may_push else 'IMAGE')}"
    return Example(name, may_push=may_push)


def _is_container_image(image: Image) -> bool:
    """Return True if `docker pull` takes its newest tag: it is no AI model and no index of charts."""
    newest = queries.newest_manifest(image)
    return newest is not None and queries.artifact_kind_of(newest, image.latest_tag).group is Group.RUNS


def _candidate_images(grant: Grant) -> QuerySet[Image]:
    """Return the images the grant covers whose newest tag is of kind image or index."""
    newest = Tag.objects.filter(image=OuterRef("pk"), name=OuterRef("latest_tag"))
    runs = Exists(newest.filter(manifest__kind__in=["image", "index"]))
    found = Image.objects.filter(runs, namespace=grant.namespace).select_related("namespace")
    return found.filter(name=grant.image_name) if grant.image_name else found
