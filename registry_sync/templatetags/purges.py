"""Deletions of all that are under way or lately ended, for the pages of what they are about."""

from typing import Any

from django import template
from django.db.models import Q

from namespaces.models import Image, Namespace
from registry_sync.removal import purges

register = template.Library()


@register.inclusion_tag("registry_sync/_purges.html")
def purges_of(namespace: Namespace, image: Image | None = None) -> dict[str, Any]:
    found = purges.lately(namespace)
    if image:
        found = found.filter(Q(image=None) | Q(image=image.pk))
    return {"purges": found.order_by("-id")[:3], "namespace": namespace, "account": namespace.account}
