"""A repository that a user may really reach, for the commands on the page that shows its password."""

from django.db.models import QuerySet

from accounts.models import RegistryUser
from accounts.pages.ways import Example
from namespaces.access import Level
from namespaces.models import Grant, Image


def example_of(user: RegistryUser) -> Example:
    """What is in the registry already before what is to come; placeholders when nothing was given yet."""
    grants = list(Grant.objects.filter(user=user).select_related("namespace").order_by("-image_name", "id"))
    for grant in grants:
        image = _pushed(grant).order_by("-pushed_at").first()
        if image:
            return Example(image.repository, image.latest_tag, may_push=grant.level >= Level.WRITE)
    if not grants:
        return Example()
    first = grants[0]
    name = f"{first.namespace.name}/{first.image_name or 'IMAGE'}"
    return Example(name, may_push=first.level >= Level.WRITE)


def _pushed(grant: Grant) -> QuerySet[Image]:
    found = Image.objects.filter(namespace=grant.namespace, tag_count__gt=0).select_related("namespace")
    return found.filter(name=grant.image_name) if grant.image_name else found
