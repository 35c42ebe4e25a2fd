"""Deletions of all that are under way or lately ended, for the pages of what they are about."""

from typing import Any

from django import template
from django.db.models import Q, QuerySet
from django.template.context import RequestContext

from accounts.models import Account
from namespaces.models import Image, Namespace
from registry_sync.deletion import purge_service
from registry_sync.models import Purge

SHOWN = 3
register = template.Library()


@register.inclusion_tag("registry_sync/_purges.html", takes_context=True)
def purges_of(context: RequestContext, place: Account | Namespace | Image) -> dict[str, Any]:
    # Nearly always there is none, which came along with what the page says of its freshness.
    return {"purges": _recent_purges(place)[:SHOWN] if context["freshness"].purging else []}


def _recent_purges(place: Account | Namespace | Image) -> QuerySet[Purge]:
    if isinstance(place, Account):
        return purge_service.recent_purges(place).order_by("-id")
    if isinstance(place, Namespace):
        return _recent_purges(place.account).filter(namespace=place)
    found = Q(image=None, chosen=0)
    if place.pk:  # else nobody has pushed it yet
        found |= Q(image=place.pk) | Q(chosen__gt=0, cutoffs__has_key=str(place.pk))
    return _recent_purges(place.namespace).filter(found)
