"""/accounts/{handle}/activity/"""

from datetime import timedelta

from django.utils import timezone

from accounts.models import AuditEvent
from tests.cast import Cast
from tests.django.api.world import caller_of

ACTIVITY = "accounts/team-red/activity/"


def test_what_was_done_is_told_the_newest_first(cast: Cast) -> None:
    owner = caller_of(cast, "owner")
    owner.post("accounts/team-red/users/", {"description": "CI deploy", "expires_at": None})
    owner.post("accounts/team-red/namespaces/", {"name": "red"})
    newest, older = caller_of(cast, "viewer").get(ACTIVITY).json()["results"]
    assert (newest["action"], older["action"]) == ("namespace.created", "user.created")
    assert (newest["actor"], newest["object_label"], newest["client_ip"]) == (
        "owner@example.com",
        "red",
        "127.0.0.1",
    )
    assert older["after"] == {"description": "CI deploy", "expires_at": None}
    assert newest["occurred_at"].endswith("Z")


def test_the_trail_of_others_is_not_told(cast: Cast) -> None:
    caller_of(cast, "stranger").post("accounts/elsewhere/namespaces/", {"name": "theirs"})
    caller_of(cast, "owner").post("accounts/team-red/namespaces/", {"name": "red"})
    shown = caller_of(cast, "owner").get(ACTIVITY).json()["results"]
    assert [each["object_label"] for each in shown] == ["red"]
    assert caller_of(cast, "owner").get("accounts/elsewhere/activity/").status_code == 404


def test_searching(cast: Cast) -> None:
    owner = caller_of(cast, "owner")
    for name in ("red", "blue"):
        owner.post("accounts/team-red/namespaces/", {"name": name})
    assert [each["object_label"] for each in owner.get(f"{ACTIVITY}?search=BLU").json()["results"]] == [
        "blue"
    ]


def test_by_kind_and_days(cast: Cast) -> None:
    owner, today = caller_of(cast, "owner"), timezone.localdate()
    owner.post("accounts/team-red/namespaces/", {"name": "red"})
    owner.post("accounts/team-red/users/", {"description": "CI deploy"})
    for query, found in {
        "kind=users": ["user.created"],
        "kind=rules": [],
        f"since={today}&kind=namespaces": ["namespace.created"],
        f"since={today + timedelta(days=1)}": [],
        f"until={today - timedelta(days=1)}": [],
    }.items():
        shown = owner.get(f"{ACTIVITY}?{query}").json()["results"]
        assert [each["action"] for each in shown] == found, query
    for wrong in ("kind=secrets", "since=yesterday", "until="):
        assert owner.get(f"{ACTIVITY}?{wrong}").status_code == 400


def test_a_filter_is_kept_on_the_next_page(cast: Cast) -> None:
    owner = caller_of(cast, "owner")
    for number in range(60):
        owner.post("accounts/team-red/namespaces/", {"name": f"red{number}"})
    first = owner.get(f"{ACTIVITY}?kind=namespaces&since=2020-01-01").json()
    assert "kind=namespaces&since=2020-01-01" in first["next"]
    second = owner.get(first["next"].partition("/api/v1/")[2]).json()
    assert len(first["results"] + second["results"]) == 60


def test_the_trail_cannot_be_written(cast: Cast) -> None:
    owner = caller_of(cast, "owner")
    owner.post("accounts/team-red/namespaces/", {"name": "red"})
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert owner(method, ACTIVITY, {}).status_code == 405
    assert AuditEvent.objects.count() == 1
