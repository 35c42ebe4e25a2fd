"""POST /a/<handle>/settings/invitations/ and …/<id>/withdraw/"""

import re

import pytest

from accounts.models import Invitation
from accounts.services import members
from tests.cast import OUTSIDERS, Cast

URL = "/a/team-red/settings/invitations/"
NOT_OWNERS = ["manager", "viewer", *OUTSIDERS]


def test_the_link_is_shown_once(cast: Cast) -> None:
    client = cast.client("owner")
    answer = client.post(URL, {"role": "manager"})
    link = re.search(r"/invite/(rml_\w+)/", answer.content.decode())[1]  # type: ignore[index]
    assert "no-store" in answer["Cache-Control"]
    assert Invitation.objects.get().role == "manager"
    assert link not in client.get("/a/team-red/settings/").content.decode()
    assert cast.client("anonymous").get(f"/invite/{link}/").status_code == 200


def test_sending_it_again_makes_no_second_link(cast: Cast) -> None:
    client = cast.client("owner")
    for _ in range(2):
        client.post(URL, {"role": "viewer", "once": "a mark"})
    assert Invitation.objects.count() == 1


def test_an_unknown_role_is_refused(cast: Cast) -> None:
    assert cast.client("owner").post(URL, {"role": "king"}).status_code == 400
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_invite_nobody(cast: Cast, who: str) -> None:
    assert cast.client(who).post(URL, {"role": "viewer"}).status_code in (302, 403, 404)
    assert not Invitation.objects.exists()


def test_withdrawing_makes_the_link_worthless(cast: Cast) -> None:
    invitation, link = members.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    cast.client("owner").post(f"{URL}{invitation.pk}/withdraw/")
    assert cast.client("stranger").post(f"/invite/{link}/").status_code == 404
    assert cast.stranger.memberships.count() == 1


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_withdraw_nothing(cast: Cast, who: str) -> None:
    invitation, _link = members.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    assert cast.client(who).post(f"{URL}{invitation.pk}/withdraw/").status_code in (302, 403, 404)
    assert Invitation.objects.exists()


def test_another_accounts_invitation_is_not_here(cast: Cast) -> None:
    other, _link = members.invite(by=cast.by("stranger"), account=cast.elsewhere, role="viewer")
    assert cast.client("owner").post(f"{URL}{other.pk}/withdraw/").status_code == 404
    assert Invitation.objects.exists()


def test_it_rejects_get(cast: Cast) -> None:
    assert cast.client("owner").get(URL).status_code == 405
    assert cast.client("owner").get(f"{URL}1/withdraw/").status_code == 405
