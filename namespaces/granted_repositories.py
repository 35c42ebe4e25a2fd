"""A repository for each permission of a user, with what to try out there."""

from django.utils import timezone

from accounts.client_commands import SAMPLE_IMAGE
from accounts.models import RegistryUser
from namespaces.access import REQUIRED_LEVEL, Action
from namespaces.models import Grant, Image

_TRIED = (Action.PULL, Action.PUSH)


def granted_repositories(user: RegistryUser, most: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return (repository, actions); of a namespace the image that was pushed last, or a name for the first.

    Never delete: the access ledger takes a token that allows it for its use (namespaces/ledger/smallest.py).
    """
    grants = Grant.objects.live(timezone.now()).filter(user=user).select_related("namespace")
    found = []
    for grant in grants.order_by("namespace__name", "image_name", "id")[:most]:
        actions = tuple(action.value for action in _TRIED if grant.level >= REQUIRED_LEVEL[action])
        name = grant.image_name or _newest(grant) or SAMPLE_IMAGE
        found.append((f"{grant.namespace.name}/{name}", actions))
    return found


def _newest(grant: Grant) -> str:
    images = Image.objects.filter(namespace=grant.namespace, pushed_at__isnull=False)
    return images.order_by("-pushed_at", "-id").values_list("name", flat=True).first() or ""
