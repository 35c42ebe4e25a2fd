"""Run inside `manage.py shell`: asks the access ledger what pages ask; prints seconds for each, as JSON."""

import json
import statistics
import time
from collections.abc import Callable

from accounts.common.pagination import paginate
from accounts.models import RegistryUser
from namespaces import selectors
from namespaces.access import Level
from namespaces.ledger import breakage, shrinking
from namespaces.ledger.uses import uses_of
from namespaces.models import Grant, Namespace

TURNS = 5
big, ci = Namespace.objects.get(name="big"), RegistryUser.objects.get(username="user00000000")
account = big.account
of_ci = list(Grant.objects.filter(user=ci).select_related("namespace"))
many = list(Grant.objects.filter(namespace__name="space1").select_related("namespace"))
proposal = shrinking.propose(ci)
QUESTIONS: dict[str, Callable[[], object]] = {
    "make a namespace of 200,000 entries private": lambda: breakage.of_private(big),
    "delete it": lambda: breakage.of_deleted(big),
    "disable a user of 100,000 entries": lambda: breakage.of_blocked_user(ci),
    "remove one of its permissions": lambda: breakage.of_removed_grants(account, of_ci[:1]),
    "remove all of them": lambda: breakage.of_removed_grants(account, of_ci),
    "lower the levels of a namespace": lambda: breakage.of_levels(account, [(g, Level.READ) for g in many]),
    "what a user of 100,000 entries used, a page": lambda: paginate(uses_of(ci)),
    "its smallest permissions": lambda: shrinking.propose(ci),
    "what these break": lambda: shrinking.broken_by(proposal),
    "permissions not used lately, a page": lambda: paginate(selectors.grants_in(account, state="idle")),
}


def seconds(question: Callable[[], object]) -> float:
    question()
    found = []
    for _turn in range(TURNS):
        began = time.perf_counter()
        question()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


print(json.dumps({label: seconds(question) for label, question in QUESTIONS.items()}))
