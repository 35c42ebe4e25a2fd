"""/system/…: an operator's API. For everybody else it is not there."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, GroupRole, IdTokenIssuer, Person
from namespaces.models import Namespace, ReservedName
from registry_sync.models import DiagnosticRun, Drift, Event, QuarantinedWork, Repository, SyncRun
from tests.cast import Cast, client_for, just_signed_in
from tests.django.api import routes
from tests.django.api.caller import API, Caller, error_of, token_of
from tests.django.api.routes import Route
from tests.django.api.world import caller_of, snapshot

every = pytest.mark.parametrize("route", routes.operators(), ids=str)


@pytest.fixture
def caller(operator: Person) -> Caller:
    return Caller(token_of(operator))


@pytest.fixture
def ids(db: None) -> dict[str, Any]:
    now = timezone.now()
    run = SyncRun.objects.create(state="needs_approval", started_at=now, finished_at=now, problem="60 of 100")
    Drift.objects.create(run=run, repository="old/app", tag="1.0", new="sha256:1")
    event = Event.objects.create(event_id="1", action="push", repository="old/app", problem="no", attempts=20)
    Repository.objects.create(name="old/app")
    ReservedName.objects.create(name="spare")
    aside = QuarantinedWork.objects.create(repository="old/app", crash_count=5)
    group = GroupRole.objects.create(
        group="dev", account=Account.objects.get_or_create(handle="team-red")[0], role="viewer"
    )
    issuer = IdTokenIssuer.objects.create(url="https://issuer.example.com")
    return {
        "api-system-group": group.pk,
        "api-system-group-preview": group.pk,
        "api-system-issuer": issuer.pk,
        "api-system-issuer-fetch": issuer.pk,
        "api-system-run-approve": run.pk,
        "api-system-event-retry": event.pk,
        "api-system-quarantine-retry": aside.pk,
    }


def path(route: Route, ids: dict[str, Any]) -> str:
    name = "spare" if route.name == "api-system-reserved-name" else "old"
    arguments = {
        "id": ids.get(route.name),
        "name": name,
        "handle": "elsewhere",
        "person_id": Person.objects.filter(email="viewer@example.com").values_list("pk", flat=True).first(),
    }
    return reverse(route.name, kwargs={each: arguments[each] for each in route.arguments}).removeprefix(API)


def by_session_or_token(caller: Caller, route: Route, who: str = "operator") -> Caller:
    """Some acts take no API token: one has to sign in for them."""
    if who == "anonymous" or not getattr(route.view, route.method.lower()).operation.signed_in:
        return caller
    session = Caller()
    session.client = just_signed_in(client_for(Person.objects.get(email=f"{who}@example.com")))
    return session


def body(route: Route) -> dict[str, Any] | None:
    bodies = {
        "api-system-run-approve": {"confirmation": "approve deletion"},
        "api-system-assign": {"account": "team-red"},
        "api-system-reserved-name": {"confirmation": "spare"},
        "api-system-groups": {"group": "ops", "account": "team-red", "role": "manager"},
        "api-system-issuers": {"url": "https://other.example.com"},
        "api-system-second-factor": {"required_of": "nobody"},
        "api-system-account-limits": {"users": 7},
        "api-system-account-owners": {"email": "viewer@example.com"},
    }
    if str(route) == "PATCH api-system-issuer":
        return {"name": "Ours", "enabled": False}
    if str(route) == "PATCH api-system-group":
        return {"role": "manager"}
    return bodies.get(route.name) if route.method != "GET" else None


@every
def test_an_operator_succeeds(cast: Cast, caller: Caller, ids: dict[str, Any], route: Route) -> None:
    response = by_session_or_token(caller, route)(route.method, path(route, ids), body(route))
    assert response.status_code < 300, response.content
    assert response["Cache-Control"] == "no-store"


@every
@pytest.mark.parametrize("who", ["owner", "stranger", "anonymous"])
def test_for_others_nothing_is_there(cast: Cast, ids: dict[str, Any], route: Route, who: str) -> None:
    asking = by_session_or_token(caller_of(cast, who), route, who)
    before = snapshot()
    response = asking(route.method, path(route, ids), body(route))
    assert response.status_code == (401 if who == "anonymous" else 404)
    assert snapshot() == before


@every
def test_input_is_strict(cast: Cast, caller: Caller, ids: dict[str, Any], route: Route) -> None:
    caller = by_session_or_token(caller, route)
    before = snapshot()
    assert caller(route.method, f"{path(route, ids)}?ordering=x", body(route)).status_code == 400
    if route.method == "POST":
        assert caller("POST", path(route, ids), (body(route) or {}) | {"operator": "1"}).status_code == 400
    assert snapshot() == before
    assert caller("PUT", path(route, ids)).status_code == 405


def test_the_state_in_short(caller: Caller, ids: dict[str, Any]) -> None:
    shown = caller.get("system/").json()
    assert (shown["state"], shown["failed_event_count"], shown["waiting_event_count"]) == (
        "needs_approval",
        1,
        0,
    )
    assert [(each["name"], each["state"]) for each in shown["heartbeats"]] == [
        ("worker", "never"),
        ("beat", "never"),
    ]
    assert shown["run_needing_approval"]["problem"] == "60 of 100"


def test_events_by_state(caller: Caller, ids: dict[str, Any]) -> None:
    Event.objects.create(event_id="2", due_at=None)
    assert len(caller.get("system/events/").json()["results"]) == 2
    assert [each["event_id"] for each in caller.get("system/events/?state=failed").json()["results"]] == ["1"]
    assert caller.get("system/events/?state=odd").status_code == 400
    assert caller.post("system/events/retry/").json() == {"retried_count": 1}


def test_the_words_must_be_typed(caller: Caller, ids: dict[str, Any]) -> None:
    refused = caller.post(f"system/runs/{ids['api-system-run-approve']}/approve/", {"confirmation": "yes"})
    assert refused.status_code == 400
    assert "confirmation" in error_of(refused)["fields"]


def test_giving(cast: Cast, caller: Caller, ids: dict[str, Any]) -> None:
    assert caller.get("system/unassigned/").json()["results"][0]["name"] == "old"
    assert caller.post("system/unassigned/old/", {"account": "nobody"}).status_code == 400
    assert caller.post("system/unassigned/old/", {"account": "team-red"}).json()["name"] == "old"
    assert Namespace.objects.get().account == cast.account
    assert caller.get("system/unassigned/").json() == {"results": [], "next_after": ""}


def test_a_checkup(caller: Caller) -> None:
    asked = caller.post("system/doctor/").json()
    assert asked["state"] == "waiting"
    fixes = [{"where": "In config.yml:", "lines": "issuer: x"}]
    result = {"key": "token", "title": "T", "state": "fail", "text": "No.", "fixes": fixes}
    told = {"key": "token", "title": "T", "state": "fail", "message": "No.",
            "fixes": [{"location": "In config.yml:", "text": "issuer: x"}]}  # fmt: skip
    DiagnosticRun.objects.update(state="done", finished_at=timezone.now(), results=[result])
    (found,) = caller.get("system/doctor/").json()["results"]
    assert (found["id"], found["failed_count"], found["checks"]) == (asked["id"], 1, [told])


def test_a_kept_name_is_listed_and_cleared(cast: Cast, caller: Caller) -> None:
    ReservedName.objects.create(name="spare", account=cast.account)
    expected = [{"name": "spare", "account": "team-red", "tokens_expire_at": None}]
    assert caller.get("system/reserved-names/").json()["results"] == expected
    refused = caller.delete("system/reserved-names/spare/", {"confirmation": "space"})
    assert "confirmation" in error_of(refused)["fields"]
    assert caller.delete("system/reserved-names/spare/", {"confirmation": "spare"}).status_code == 204
    assert caller.get("system/reserved-names/").json()["results"] == []
    assert caller.delete("system/reserved-names/spare/", {"confirmation": "spare"}).status_code == 404
    Repository.objects.create(name="held/app")
    ReservedName.objects.create(name="held")
    assert caller.delete("system/reserved-names/held/", {"confirmation": "held"}).status_code == 409
