"""An image that a user has access to, for the commands that show how to use its password."""

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.client_commands import SAMPLE_IMAGE, Example
from accounts.models import RegistryUser
from namespaces.access import Level
from namespaces.manifests import queries
from namespaces.media_types import Group
from namespaces.models import Grant, Image, Tag

IMAGES_TRIED = 10


def example_of(user: RegistryUser) -> Example:
    """Return a pushed image if there is one, else a name that the user may push to or was given."""
    grants = Grant.objects.live(timezone.now()).filter(user=user)
    grants = grants.select_related("namespace__account").order_by("-image_name", "id")
    for grant in grants:
        image = next(
            filter(_is_container_image, _candidate_images(grant).order_by("-pushed_at")[:IMAGES_TRIED]), None
        )
        if image:
            return Example(image.repository, image.latest_tag, may_push=grant.level >= Level.WRITE)
    if not grants:
        return Example()
    return _unpushed_example(next((each for each in grants if each.level >= Level.WRITE), grants[0]))


def _unpushed_example(grant: Grant) -> Example:
    name = grant.namespace.name
    if grant.level < Level.WRITE:
        return Example(f"{name}/{grant.image_name}") if grant.image_name else Example(empty_namespace=name)
    return first_push_example(grant)


def first_push_example(grant: Grant, image_name: str = "") -> Example:
    """Return what a grant to push may push first: `image_name`, the image that it is on, or the sample."""
    namespace = grant.namespace
    name = image_name or grant.image_name
    at = [namespace.account.handle, namespace.name]
    url = reverse("image", args=[*at, name]) if name else reverse("namespace", args=at)
    return Example(f"{namespace.name}/{name or SAMPLE_IMAGE}", may_push=True, first_push_url=url)


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
