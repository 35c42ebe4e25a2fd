"""What of the registry a page shows: its light speaks of that, and of nothing that others have."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat, StrIndex, Substr

from namespaces.models import Namespace
from registry_sync.models import Drift, Event, Repository


@dataclass(frozen=True)
class ViewScope:
    """`namespaces`: None for all there is. `repository`: of them this one alone."""

    namespaces: QuerySet[Namespace] | None = None
    repository: str = ""

    def repositories(self) -> QuerySet[Repository]:
        shown: dict[str, Any] = {"name": self.repository} if self.repository else {}
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


ALL = ViewScope()


def visible_to(person_id: int, *, handle: str = "", namespace: str = "", image: str = "") -> ViewScope:
    """In the accounts that the person is a member of; of one account, of one namespace of it, or of one image."""
    chosen = {"account__handle": handle, "name": namespace}
    rows = Namespace.objects.order_by().filter(
        account__members__person=person_id,
        account__closed_at=None,
        **{column: value for column, value in chosen.items() if value},
    )
    return ViewScope(rows, f"{namespace}/{image}" if image else "")
