"""/accounts/{handle}/invitations/…"""

import pytest
from django.conf import settings

from accounts.models import AuditEvent, Invitation, Member
from tests.cast import Cast
from tests.django.accounts.test_invitations import STATES, bring_to
from tests.django.api.caller import fields_of
from tests.django.api.world import caller_of

INVITATIONS = "accounts/team-red/invitations/"


def test_the_link_is_told_once_and_works(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    response = caller.post(INVITATIONS, {"role": "viewer"})
    assert response.status_code == 201
    link = response.json()["link"]
    assert link.startswith(f"{settings.PUBLIC_URL}/invite/rml_")
    text = link.rstrip("/").rpartition("/")[2]
    for later in (caller.get(INVITATIONS), caller.get("accounts/team-red/activity/")):
        assert text not in later.content.decode()
    assert text not in str(list(Invitation.objects.values())) + str(list(AuditEvent.objects.values()))
    follow(cast, link)
    assert Member.objects.filter(account=cast.account, person=cast.stranger, role="viewer").exists()


def test_the_list_shows_no_digest(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    caller.post(INVITATIONS, {"role": "viewer"})
    (shown,) = caller.get(INVITATIONS).json()["results"]
    assert set(shown) == {
        "id", "role", "created_by", "created_at", "expires_at", "state", "used_at", "used_by"
    }  # fmt: skip


def test_a_withdrawn_link_is_dead(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    made = caller.post(INVITATIONS, {"role": "owner"}).json()
    assert caller.delete(f"{INVITATIONS}{made['id']}/").status_code == 204
    assert caller.delete(f"{INVITATIONS}{made['id']}/").status_code == 404
    follow(cast, made["link"])
    assert not Member.objects.filter(account=cast.account, person=cast.stranger).exists()
    assert AuditEvent.objects.filter(action="member.invitation_withdrawn", actor="owner@example.com").exists()


def test_an_unknown_role_is_refused(cast: Cast) -> None:
    response = caller_of(cast, "owner").post(INVITATIONS, {"role": "king"})
    assert response.status_code == 400
    assert fields_of(response) == {"role"}
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("state", STATES)
def test_each_is_listed_with_its_maker_and_state(cast: Cast, state: str) -> None:
    invitation = bring_to(cast, state)
    (shown,) = caller_of(cast, "owner").get(INVITATIONS).json()["results"]
    assert (shown["id"], shown["state"], shown["created_by"]) == (invitation.pk, state, "second@example.com")
    assert bool(shown["used_at"]) is (state == "used")
    assert shown["used_by"] == ("stranger@example.com" if state in ("used", "reserved") else "")


@pytest.mark.parametrize("who", ["manager", "viewer"])
def test_the_list_is_for_owners(cast: Cast, who: str) -> None:
    bring_to(cast, "open")
    assert caller_of(cast, who).get(INVITATIONS).status_code == 403


def follow(cast: Cast, link: str) -> None:
    client = cast.client("stranger")
    client.get(link.removeprefix(settings.PUBLIC_URL))
    client.post("/invite/")
