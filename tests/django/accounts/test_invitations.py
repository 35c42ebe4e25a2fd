"""POST /a/<handle>/settings/invitations/ and …/<id>/withdraw/"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Invitation
from accounts.services import invitations, members
from tests import factories
from tests.cast import OUTSIDERS, Cast, principal_of

URL = "/a/team-red/settings/invitations/"
NOT_OWNERS = ["manager", "viewer", *OUTSIDERS]


def test_the_link_is_shown_once(cast: Cast) -> None:
    client = cast.client("owner")
    answer = client.post(URL, {"role": "manager", "once": "a mark"})
    link = re.search(r"/invite/(rml_\w+)/", answer.content.decode())[1]  # type: ignore[index]
    assert "no-store" in answer["Cache-Control"]
    assert Invitation.objects.get().role == "manager"
    assert link not in client.get("/a/team-red/settings/").content.decode()
    assert cast.client("anonymous").get(f"/invite/{link}/").url == "/invite/"


def test_sending_it_again_makes_no_second_link(cast: Cast) -> None:
    client = cast.client("owner")
    for _ in range(2):
        client.post(URL, {"role": "viewer", "once": "a mark"})
    assert Invitation.objects.count() == 1


def test_an_unknown_role_is_refused(cast: Cast) -> None:
    assert cast.client("owner").post(URL, {"role": "king", "once": "a mark"}).status_code == 400
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_invite_nobody(cast: Cast, who: str) -> None:
    assert cast.client(who).post(URL, {"role": "viewer", "once": "a mark"}).status_code in (302, 403, 404)
    assert not Invitation.objects.exists()


def test_withdrawing_makes_the_link_worthless(cast: Cast) -> None:
    invitation, link = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    cast.client("owner").post(f"{URL}{invitation.pk}/withdraw/")
    assert cast.client("stranger").get(f"/invite/{link}/").status_code == 404
    assert "withdrawn" in cast.client("owner").get("/a/team-red/settings/").content.decode()
    assert cast.stranger.memberships.count() == 1


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_withdraw_nothing(cast: Cast, who: str) -> None:
    invitation, _link = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    assert cast.client(who).post(f"{URL}{invitation.pk}/withdraw/").status_code in (302, 403, 404)
    assert Invitation.objects.get().revoked_at is None


def test_another_accounts_invitation_is_not_here(cast: Cast) -> None:
    other, _link = invitations.invite(by=cast.by("stranger"), account=cast.elsewhere, role="viewer")
    assert cast.client("owner").post(f"{URL}{other.pk}/withdraw/").status_code == 404
    assert Invitation.objects.get().revoked_at is None


def test_it_rejects_get(cast: Cast) -> None:
    assert cast.client("owner").get(URL).status_code == 405
    assert cast.client("owner").get(f"{URL}1/withdraw/").status_code == 404


def test_what_was_used_is_not_withdrawn(cast: Cast) -> None:
    invitation, _link = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    invitations.accept(by=cast.by("stranger"), invitation=invitation)
    answer = cast.client("owner").post(f"{URL}{invitation.pk}/withdraw/", follow=True)
    assert "no longer open" in answer.content.decode()
    assert Invitation.objects.get().revoked_at is None


STATES = {
    "open": ("open", True),
    "reserved": ("signed up, not joined yet", True),
    "used": ("used", False),
    "expired": ("expired", False),
    "revoked": ("withdrawn", False),
    "void": ("invalid: its creator can no longer invite", False),
}


@pytest.mark.parametrize("state", STATES)
def test_each_is_listed_with_its_maker_and_state(cast: Cast, state: str) -> None:
    word, can_withdraw = STATES[state]
    invitation = bring_to(cast, state)
    page = cast.client("owner").get("/a/team-red/settings/").content.decode()
    row = page.partition('id="invitations"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    assert word in row
    assert "second@example.com" in row
    assert ("stranger@example.com" in row) is (state in ("used", "reserved"))
    assert (f"/{invitation.pk}/withdraw/" in row) is can_withdraw


def bring_to(cast: Cast, state: str) -> Invitation:
    """An invitation of a second owner that is in `state`."""
    second = factories.MemberFactory(account=cast.account, role="owner", person__email="second@example.com")
    invitation, _link = invitations.invite(by=principal_of(second.person), account=cast.account, role="owner")
    stranger = cast.by("stranger")
    match state:
        case "reserved":
            invitations.reserve(id=invitation.pk, person=cast.stranger, by=stranger)
        case "used":
            invitations.accept(by=stranger, invitation=invitation)
        case "expired":
            Invitation.objects.update(expires_at=invitation.created_at)
        case "revoked":
            invitations.withdraw(by=cast.by("owner"), invitation=invitation)
        case "void":
            members.change_role(by=cast.by("owner"), member=second, role="manager")
    return invitation


def test_a_demoted_maker_is_told_of_in_the_trail(cast: Cast) -> None:
    bring_to(cast, "void")
    event = AuditEvent.objects.get(action="member.invitations_voided")
    assert (event.actor, event.object, event.before) == (
        "owner@example.com",
        "second@example.com",
        {"invitations": 1},
    )


def test_no_more_spent_ones_are_kept_than_somebody_reads(cast: Cast, settings: Any) -> None:
    settings.SPENT_INVITATIONS_KEPT = 2
    by, kept = cast.by("owner"), []
    live, _link = invitations.invite(by=by, account=cast.account, role="viewer")
    for _number in range(5):
        kept.append(invitations.invite(by=by, account=cast.account, role="viewer")[0])
        invitations.withdraw(by=by, invitation=kept[-1])
    last, _link = invitations.invite(by=by, account=cast.account, role="viewer")
    assert set(Invitation.objects.all()) == {live, *kept[-2:], last}


def test_spent_ones_are_forgotten_after_a_while_and_live_ones_never(cast: Cast) -> None:
    used = bring_to(cast, "used")
    live, _link = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    invitations.forget_old(timezone.now())
    assert Invitation.objects.count() == 2
    Invitation.objects.filter(pk=used.pk).update(
        expires_at=timezone.now() - invitations.KEPT - timedelta(minutes=1)
    )
    invitations.forget_old(timezone.now())
    assert Invitation.objects.get() == live
