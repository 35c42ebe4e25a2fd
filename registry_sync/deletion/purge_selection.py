"""Images that were ticked in a list, or all that match its filter, to be purged together."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.common.errors import Invalid
from accounts.models import Account
from namespaces import selectors
from namespaces.models import Image, Namespace
from registry_sync.deletion import service
from registry_sync.deletion.purge_scope import ImageContents, PurgeScope


@dataclass(frozen=True)
class ImageSelection:
    """`repositories`: the ticked ones. Or `search`: all that match, in `namespace` or in the whole account."""

    account: Account
    repositories: Collection[str] = ()
    namespace: Namespace | None = None
    search: str | None = None

    def images(self) -> QuerySet[Image]:
        """Return the images as of now; call it again in the transaction that acts. Raise Invalid for too many."""
        if self.search is None:
            return Image.objects.filter(
                namespace__account=self.account, repository_row__name__in=self._ticked()
            )
        found = selectors.images_of(self.account, namespace=self.namespace, search=self.search)
        keys = list(found.order_by().values_list("pk", flat=True)[: settings.MATCHING_MAX + 1])
        if len(keys) > settings.MATCHING_MAX:
            words = _(
                "More than %(most)s images match. Narrow the filter, or delete a namespace and everything in it."
            )
            raise Invalid.on("search", words % {"most": intcomma(settings.MATCHING_MAX)})
        return Image.objects.filter(pk__in=keys).exclude(repository_row=None)

    def missing(self) -> list[str]:
        """Return the ticked repositories that do not exist."""
        found = self.images().select_related("namespace") if self.search is None else ()
        return sorted({*self.repositories} - {image.repository for image in found})

    def _ticked(self) -> Collection[str]:
        if len(self.repositories) > service.ITEMS_MAX:
            raise Invalid.on("images", _("Select at most %(most)s at once.") % {"most": service.ITEMS_MAX})
        return self.repositories


def by_namespace(scope: PurgeScope) -> list[PurgeScope]:
    contents: dict[int, list[ImageContents]] = defaultdict(list)
    for each in scope.images:
        contents[each.image.namespace_id].append(each)
    return [PurgeScope(some) for some in contents.values()]


def common_parent(scope: PurgeScope) -> Image | Namespace | Account:
    """Return the image if it is one, the namespace if all are of one, else the account."""
    images = [each.image for each in scope.images]
    if len(images) == 1:
        return images[0]
    namespaces = {image.namespace for image in images}
    return images[0].namespace.account if len(namespaces) > 1 else images[0].namespace


def confirmation_phrase(scope: PurgeScope) -> str:
    """Return what a person types to confirm."""
    found = common_parent(scope)
    return found.handle if isinstance(found, Account) else found.name
