"""What of the registry a page shows: its light speaks of that, and of nothing that others have."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat, StrIndex, Substr

from namespaces.models import Namespace
from registry_sync.models import Drift, Event, Purge, Repository


@dataclass(frozen=True)
class ViewScope:
    """What is in the accounts of a person, in one account, in one namespace, or in one repository; all there is.

    What is None or "" narrows nothing; what else it is, columns are compared with.
    """

    person: Any = None
    handle: Any = ""
    namespace: Any = ""
    repository: Any = ""

    @property
    def narrowed(self) -> dict[str, Any]:
        """Return what narrows it: `ViewScope(**scope.narrowed)` is the same."""
        return {name: value for name, value in vars(self).items() if value is not None and value != ""}

    @property
    def namespaces(self) -> QuerySet[Namespace] | None:
        """None for all there are."""
        columns = {"person": "account__members__person", "handle": "account__handle", "namespace": "name"}
        chosen = {columns[name]: value for name, value in self.narrowed.items() if name in columns}
        return Namespace.objects.order_by().filter(account__closed_at=None, **chosen) if chosen else None

    def repositories(self) -> QuerySet[Repository]:
        shown = {"name": self.repository} if self.repository else {}
        if self.namespaces is None:
            return Repository.objects.exclude(image=None).filter(**shown)
        return Repository.objects.filter(image__namespace__in=self.namespaces, **shown)

    def differences(self) -> QuerySet[Drift]:
        rows = Drift.objects.all()
        if self.namespaces is not None:
            slash = StrIndex(Concat(F("repository"), Value("/")), Value("/"))
            rows = rows.annotate(first=Substr("repository", 1, slash - 1))
            rows = rows.filter(first__in=self.namespaces.values("name"))
        return rows.filter(repository=self.repository) if self.repository else rows

    def events(self) -> QuerySet[Event]:
        rows = Event.objects.all()
        if self.namespaces is not None:
            rows = rows.filter(namespace__in=self.namespaces.values("name"))
        return rows.filter(repository=self.repository) if self.repository else rows

    def purges(self) -> QuerySet[Purge]:
        """Of its namespaces, also where it is one repository."""
        rows = Purge.objects.order_by()
        return rows if self.namespaces is None else rows.filter(namespace__in=self.namespaces)


ALL = ViewScope()


def visible_to(person_id: int, *, handle: str = "", namespace: str = "", image: str = "") -> ViewScope:
    """In the accounts that the person is a member of; of one account, of one namespace of it, or of one image."""
    return ViewScope(person_id, handle, namespace, f"{namespace}/{image}" if image else "")
