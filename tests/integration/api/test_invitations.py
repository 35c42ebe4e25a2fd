"""/accounts/{handle}/invitations/…"""

from django.conf import settings

from accounts.models import AuditEvent, Invitation, Member
from tests.cast import Cast
from tests.integration.api.caller import fields_of
from tests.integration.api.world import caller_of

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
    cast.client("stranger").post(link.removeprefix(settings.PUBLIC_URL))
    assert Member.objects.filter(account=cast.account, person=cast.stranger, role="viewer").exists()


def test_the_list_shows_no_digest(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    caller.post(INVITATIONS, {"role": "viewer"})
    (shown,) = caller.get(INVITATIONS).json()["results"]
    assert set(shown) == {"id", "role", "created_by", "created_at", "expires_at"}


def test_a_withdrawn_link_is_dead(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    made = caller.post(INVITATIONS, {"role": "owner"}).json()
    assert caller.delete(f"{INVITATIONS}{made['id']}/").status_code == 204
    assert caller.delete(f"{INVITATIONS}{made['id']}/").status_code == 404
    cast.client("stranger").post(made["link"].removeprefix(settings.PUBLIC_URL))
    assert not Member.objects.filter(account=cast.account, person=cast.stranger).exists()
    assert AuditEvent.objects.filter(action="member.invitation_withdrawn", actor="owner@example.com").exists()


def test_an_unknown_role_is_refused(cast: Cast) -> None:
    response = caller_of(cast, "owner").post(INVITATIONS, {"role": "king"})
    assert response.status_code == 400
    assert fields_of(response) == {"role"}
    assert not Invitation.objects.exists()
