"""POST /a/<handle>/settings/members/<person>/role/, …/remove/ and …/settings/leave/"""

import pytest

from accounts.models import AuditEvent, Member
from tests import factories
from tests.cast import OUTSIDERS, Cast

NOT_OWNERS = ["manager", "viewer", *OUTSIDERS]


def url(person: object, verb: str) -> str:
    return f"/a/team-red/settings/members/{person.pk}/{verb}/"  # type: ignore[attr-defined]


def role_of(cast: Cast, who: str) -> str:
    return str(Member.objects.get(account=cast.account, person=getattr(cast, who)).role)


def test_the_owner_changes_a_role(cast: Cast) -> None:
    cast.client("owner").post(url(cast.viewer, "role"), {"role": "manager"})
    assert role_of(cast, "viewer") == "manager"
    event = AuditEvent.objects.get(action="member.role_changed")
    assert (event.before, event.after) == ({"role": "viewer"}, {"role": "manager"})


def test_an_unknown_role_is_said(cast: Cast) -> None:
    answer = cast.client("owner").post(url(cast.viewer, "role"), {"role": "king"}, follow=True)
    assert "Select owner, manager or viewer." in answer.content.decode()
    assert role_of(cast, "viewer") == "viewer"


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_change_no_role(cast: Cast, who: str) -> None:
    person = cast.viewer
    assert cast.client(who).post(url(person, "role"), {"role": "owner"}).status_code in (302, 403, 404)
    assert role_of(cast, "viewer") == "viewer"


def test_the_last_owner_stays_owner(cast: Cast) -> None:
    answer = cast.client("owner").post(
        url(cast.owner, "role"), {"role": "viewer", "sure": "yes"}, follow=True
    )
    assert "An account needs at least one owner" in answer.content.decode()
    assert role_of(cast, "owner") == "owner"


def test_one_of_two_owners_may_step_down(cast: Cast) -> None:
    factories.MemberFactory(account=cast.account)
    cast.client("owner").post(url(cast.owner, "role"), {"role": "viewer", "sure": "yes"})
    assert role_of(cast, "owner") == "viewer"


def test_the_owner_removes(cast: Cast) -> None:
    cast.client("owner").post(url(cast.viewer, "remove"))
    assert not cast.viewer.memberships.exists()
    assert cast.client("viewer").get("/a/team-red/users/").status_code == 404


def test_the_last_owner_is_not_removed(cast: Cast) -> None:
    answer = cast.client("owner").post(url(cast.owner, "remove"), follow=True)
    assert "An account needs at least one owner" in answer.content.decode()
    assert role_of(cast, "owner") == "owner"


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_remove_nobody(cast: Cast, who: str) -> None:
    assert cast.client(who).post(url(cast.viewer, "remove")).status_code in (302, 403, 404)
    assert role_of(cast, "viewer") == "viewer"


@pytest.mark.parametrize("verb", ["role", "remove"])
def test_a_person_of_another_account_is_not_here(cast: Cast, verb: str) -> None:
    assert cast.client("owner").post(url(cast.stranger, verb), {"role": "viewer"}).status_code == 404
    assert cast.stranger.memberships.get().role == "owner"


@pytest.mark.parametrize("verb", ["role", "remove"])
def test_looking_changes_nothing(cast: Cast, verb: str) -> None:
    cast.client("owner").get(url(cast.viewer, verb), {"role": "manager"})
    assert role_of(cast, "viewer") == "viewer"


@pytest.mark.parametrize("who", ["manager", "viewer"])
def test_a_member_leaves(cast: Cast, who: str) -> None:
    assert cast.client(who).post("/a/team-red/settings/leave/").url == "/"
    assert not getattr(cast, who).memberships.exists()


def test_the_last_owner_cannot_leave(cast: Cast) -> None:
    answer = cast.client("owner").post("/a/team-red/settings/leave/", follow=True)
    assert "An account needs at least one owner" in answer.content.decode()
    assert role_of(cast, "owner") == "owner"


def test_a_stranger_cannot_leave_what_is_not_theirs(cast: Cast) -> None:
    assert cast.client("stranger").post("/a/team-red/settings/leave/").status_code == 404
