"""A repository that a user may really reach, for the commands on the page that shows its password."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import RegistryUser
from accounts.views.login_snippets import Example
from namespaces.access import Level
from namespaces.manifests import queries
from namespaces.media_types import Group
from namespaces.models import Grant, Image, Tag

LOOKED_AT = 10


def example_of(user: RegistryUser) -> Example:
    """Return what is in the registry before what is to come; nothing when nothing was given yet."""
    grants = list(Grant.objects.filter(user=user).select_related("namespace").order_by("-image_name", "id"))
    for grant in grants:
        image = next(filter(_runs, _pushed(grant).order_by("-pushed_at")[:LOOKED_AT]), None)
        if image:
            return Example(image.repository, image.latest_tag, may_push=grant.level >= Level.WRITE)
    if not grants:
        return Example()
    first = grants[0]
    may_push = first.level >= Level.WRITE
    name = f"{first.namespace.name}/{first.image_name or ('nginx' if may_push else 'IMAGE')}"
    return Example(name, may_push=may_push)


def _runs(image: Image) -> bool:
    """Docker can pull it: no AI model, no index of charts."""
    newest = queries.newest_of(image)
    return newest is not None and queries.nature_of(newest, image.latest_tag).group is Group.RUNS


def _pushed(grant: Grant) -> QuerySet[Image]:
    """Images of the grant that are no artifacts by their own word."""
    newest = Tag.objects.filter(image=OuterRef("pk"), name=OuterRef("latest_tag"))
    runs = Exists(newest.filter(manifest__kind__in=["image", "index"]))
    found = Image.objects.filter(runs, namespace=grant.namespace).select_related("namespace")
    return found.filter(name=grant.image_name) if grant.image_name else found
