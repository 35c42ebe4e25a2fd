"""/accounts/{handle}/members/…"""

from accounts.models import AuditEvent, Member
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import error_of, fields_of
from tests.django.api.world import caller_of

MEMBERS = "accounts/team-red/members/"


def test_the_list_names_all_members_and_nobody_else(cast: Cast) -> None:
    body = caller_of(cast, "viewer").get(MEMBERS).json()
    assert {each["email"]: each["role"] for each in body["results"]} == {
        "owner@example.com": "owner",
        "manager@example.com": "manager",
        "viewer@example.com": "viewer",
    }
    assert set(body["results"][0]) == {"person_id", "email", "role", "joined_at"}


def test_a_role_is_changed_and_written_down(cast: Cast) -> None:
    shown = caller_of(cast, "owner").patch(f"{MEMBERS}{cast.viewer.pk}/", {"role": "manager"})
    assert shown.json()["role"] == "manager"
    event = AuditEvent.objects.get(action="member.role_changed")
    assert (event.actor, event.before, event.after) == (
        "owner@example.com",
        {"role": "viewer"},
        {"role": "manager"},
    )


def test_an_unknown_role_is_refused(cast: Cast) -> None:
    response = caller_of(cast, "owner").patch(f"{MEMBERS}{cast.viewer.pk}/", {"role": "admin"})
    assert response.status_code == 400
    assert fields_of(response) == {"role"}


def test_nobody_raises_themselves(cast: Cast) -> None:
    for who in ("manager", "viewer"):
        path = f"{MEMBERS}{getattr(cast, who).pk}/"
        assert caller_of(cast, who).patch(path, {"role": "owner"}).status_code == 403
    assert Member.objects.get(person=cast.viewer).role == "viewer"


def test_the_last_owner_stays_an_owner_and_a_member(cast: Cast) -> None:
    caller, me = caller_of(cast, "owner"), f"{MEMBERS}{cast.owner.pk}/"
    for response in (caller.patch(me, {"role": "viewer"}), caller.delete(me), caller.delete(f"{MEMBERS}me/")):
        assert response.status_code == 403
        assert "at least one owner" in error_of(response)["message"]
    factories.MemberFactory(account=cast.account, role="owner")
    assert caller.delete(f"{MEMBERS}me/").status_code == 204
    assert caller.get("accounts/team-red/").status_code == 404


def test_everybody_may_leave(cast: Cast) -> None:
    caller = caller_of(cast, "viewer")
    assert caller.delete(f"{MEMBERS}me/").status_code == 204
    assert caller.get(MEMBERS).status_code == 404
    assert Member.objects.filter(account=cast.account).count() == 2


def test_a_removed_member_finds_nothing(cast: Cast) -> None:
    removed = caller_of(cast, "manager")
    assert removed.get(MEMBERS).status_code == 200
    assert caller_of(cast, "owner").delete(f"{MEMBERS}{cast.manager.pk}/").status_code == 204
    assert removed.get(MEMBERS).status_code == 404


def test_a_person_of_another_account_is_no_member_here(cast: Cast) -> None:
    path = f"{MEMBERS}{cast.stranger.pk}/"
    caller = caller_of(cast, "owner")
    assert caller.patch(path, {"role": "viewer"}).status_code == 404
    assert caller.delete(path).status_code == 404
    assert Member.objects.get(person=cast.stranger).account == cast.elsewhere
