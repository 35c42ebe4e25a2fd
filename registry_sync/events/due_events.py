"""Which events are next.

In order of arrival, and each account in its turn, so that nobody's push waits for another's ten thousand.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from django.db.models import Min, Q, QuerySet

from accounts.common import clock
from accounts.common.fair_share import in_turns
from namespaces.models import Namespace
from registry_sync.models import Event, WorkerCrash

BATCH = 200
Account = int | None  # None: all that is in no account's namespace


class EventQueue:
    """`account_of` as it was when last looked up; accounts in `unanswered` are left for another time.

    `failing`: those of whom something could not be applied; empty where nobody else waits.
    """

    def __init__(self) -> None:
        self.unanswered: set[Account] = set()
        self.failing: set[Account] = set()
        self._accounts: dict[str, Account] = {}

    def account_of(self, event: Event) -> Account:
        return self._accounts[event.namespace]

    def look_up(self, event: Event) -> Account:
        self._look_up([event.namespace])
        return self.account_of(event)

    def next(self) -> list[Event]:
        events = list(_due().order_by("id")[:BATCH])
        if len(events) == BATCH:  # more waits than that: then some of each
            events = self._some_of_each()
        self._look_up({event.namespace for event in events})
        self.failing = self._failing({self.account_of(event) for event in events})
        events.sort(key=lambda event: (self.account_of(event) in self.failing, event.pk))
        return in_turns(
            (each for each in events if self.account_of(each) not in self.unanswered), self.account_of
        )

    def wait(self) -> timedelta | None:
        """Until more is due, None when nothing is. What is left for another time does not count."""
        skipped = [name for name, account in self._accounts.items() if account in self.unanswered]
        waiting = Event.objects.exclude(due_at=None).exclude(namespace__in=skipped)
        first = waiting.order_by("due_at").values_list("due_at", flat=True).first()
        return max(first - clock.now(), timedelta()) if first else None

    def _some_of_each(self) -> list[Event]:
        first = _due().order_by().values("namespace").annotate(first=Min("id")).order_by("first")
        names = list(first.values_list("namespace", flat=True))
        self._look_up(names)
        answered = [name for name in names if self._accounts[name] not in self.unanswered]
        namespaces_of: dict[Account, list[str]] = defaultdict(list)
        for name in in_turns(answered, self._accounts.__getitem__)[:BATCH]:
            namespaces_of[self._accounts[name]].append(name)
        events: list[Event] = []
        for own_names in namespaces_of.values():
            share = max(BATCH // len(namespaces_of) // len(own_names), 1)
            for name in own_names:
                events += _due().filter(namespace=name).order_by("id")[:share]
        return events

    def _failing(self, accounts: Collection[Account]) -> set[Account]:
        """Of whose something could not be applied, or killed a worker: nobody else is to wait behind their next."""
        if len(accounts) < 2:  # noqa: PLR2004
            return set()
        failed = Event.objects.filter(~Q(problem="")).exclude(due_at=None).order_by()
        names = set(failed.values_list("namespace", flat=True).distinct())
        self._look_up(names)
        return {self._accounts[name] for name in names} | set(
            WorkerCrash.objects.values_list("account_id", flat=True)
        )

    def _look_up(self, names: Collection[str]) -> None:
        self._accounts |= dict.fromkeys(names)
        found = Namespace.objects.only("name", "account_id").in_bulk(list(names), field_name="name")
        self._accounts |= {name: namespace.account_id for name, namespace in found.items()}


def any_due() -> bool:
    return _due().exists()


def _due() -> QuerySet[Event]:
    return Event.objects.filter(due_at__lte=clock.now()).defer("raw")
