"""All persons of the installation: the list, and the page of one."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import people_list, reset_links
from accounts.common.pagination import paginate
from accounts.models import Member, Person
from accounts.views.column_sort import list_url
from accounts.views.request import PersonRequest, principal
from accounts.views.user_status import StatusBadge
from registry_sync.operations import permissions
from registry_sync.operations.views.audit_lines import audit_lines
from registry_sync.operations.views.navigation import operators, system_context

ACCOUNTS_SHOWN = 3  # of each person in the list

_STATE_TEXTS: dict[str, Promise] = {
    "": gettext_lazy("All"),
    "operators": gettext_lazy("Operators"),
    "disabled": gettext_lazy("Disabled"),
    "never": gettext_lazy("Never signed in"),
    "no_factor": gettext_lazy("Without a second factor"),
}


@dataclass(frozen=True)
class PersonRow:
    """`members`: the first ACCOUNTS_SHOWN memberships, `more` how many others."""

    person: Person
    badge: StatusBadge
    members: list[Member]
    more: int


@operators
@require_safe
@vary_on_headers("HX-Request")
def people(request: PersonRequest) -> HttpResponse:
    search, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    state = state if state in people_list.STATES else ""
    kept = {"q": search, "state": state}
    found = people_list.people(search=search, state=state, now=timezone.now())
    page = paginate(found, cursor=request.GET.get("page", ""), query=kept)
    context = system_context("system-people") | {
        "page": page,
        "rows": _rows(page.rows),
        "query": search,
        "state": state,
        "states": [
            (text, list_url(kept | {"state": each}), each == state) for each, text in _STATE_TEXTS.items()
        ],
    }
    fragment = request.htmx and request.htmx.target == "people"
    name = "registry_sync/_people.html" if fragment else "registry_sync/system_people.html"
    return render(request, name, context)


@operators
@require_safe
def person(request: PersonRequest, person_id: int) -> HttpResponse:
    by, now = principal(request), timezone.now()
    found = permissions.person(by, person_id)
    context = system_context("system-people") | {
        "person": found,
        "badge": person_badge(found),
        "members": people_list.memberships([found])[found.pk],
        "tokens": list(people_list.live_tokens(found, now)),
        "lines": audit_lines(people_list.events_about(found)),
        "oneself": found.pk == by.person_id,
        "why_no_link": reset_links.problem(found),
    }
    return render(request, "registry_sync/system_person.html", context)


def person_badge(found: Person) -> StatusBadge:
    if not found.is_active:
        return StatusBadge(gettext_lazy("disabled"), "bad")
    if found.last_login is None:
        return StatusBadge(gettext_lazy("never signed in"), "none")
    return StatusBadge(gettext_lazy("can sign in"), "none")


def _rows(people: list[Person]) -> list[PersonRow]:
    members = people_list.memberships(people)
    return [
        PersonRow(
            each,
            person_badge(each),
            members[each.pk][:ACCOUNTS_SHOWN],
            max(0, len(members[each.pk]) - ACCOUNTS_SHOWN),
        )
        for each in people
    ]
