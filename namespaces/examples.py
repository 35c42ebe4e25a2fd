"""A repository that a user may really reach, for the commands on the page that shows its password."""

from accounts.models import RegistryUser
from namespaces.models import Grant, Image


def example_repository(user: RegistryUser) -> str:
    """As "team/api"; "" when nothing was given to the user yet."""
    grant = Grant.objects.filter(user=user).select_related("namespace").order_by("-image_name", "id").first()
    if not grant:
        return ""
    pushed = Image.objects.filter(namespace=grant.namespace, tag_count__gt=0).order_by("-pushed_at").first()
    name = grant.image_name or (pushed.name if pushed else "IMAGE")
    return f"{grant.namespace.name}/{name}"
