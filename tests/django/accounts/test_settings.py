"""GET /a/<handle>/settings/ and POST …/rename/, …/close/"""

import pytest

from accounts.models import Account, AuditEvent
from tests import factories
from tests.cast import MEMBERS, OUTSIDERS, Cast, just_signed_in

URL = "/a/team-red/settings/"
NOT_OWNERS = ["manager", "viewer", *OUTSIDERS]


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_who_is_in_it(cast: Cast, who: str) -> None:
    page = cast.client(who).get(URL).content.decode()
    for role in MEMBERS:
        assert f"{role}@example.com" in page


@pytest.mark.parametrize(("who", "may"), [("owner", True), ("manager", False), ("viewer", False)])
def test_only_owners_see_the_forms(cast: Cast, who: str, may: bool) -> None:
    page = cast.client(who).get(URL).content.decode()
    for part in ("/rename/", "/invitations/", "/remove/", "/close/"):
        assert (part in page) is may
    assert ("Only owners can rename the account." in page) is not may


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
def test_outsiders_see_nothing(cast: Cast, who: str, status: int) -> None:
    assert cast.client(who).get(URL).status_code == status


def test_what_the_name_is_not_is_said_at_its_field(cast: Cast) -> None:
    page = cast.client("owner").get(URL).text
    assert 'id="id_name_helptext">URLs keep <code>team-red</code>' in page
    assert 'aria-describedby="id_name_helptext"' in page


def test_it_rejects_post(cast: Cast) -> None:
    assert cast.client("owner").post(URL).status_code == 405


def test_the_owner_renames_and_the_handle_stays(cast: Cast) -> None:
    assert cast.client("owner").post(f"{URL}rename/", {"name": "Team Blue"}).url == URL
    cast.account.refresh_from_db()
    assert (cast.account.name, cast.account.handle) == ("Team Blue", "team-red")
    assert AuditEvent.objects.get(action="account.renamed").before == {"name": "Team Red"}


@pytest.mark.parametrize("name", ["", "x" * 81])
def test_a_bad_name_is_said_beside_it(cast: Cast, name: str) -> None:
    answer = cast.client("owner").post(f"{URL}rename/", {"name": name})
    assert answer.status_code == 400
    assert answer.context["form"].errors["name"]


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_do_not_rename(cast: Cast, who: str) -> None:
    assert cast.client(who).post(f"{URL}rename/", {"name": "Mine"}).status_code in (302, 403, 404)
    cast.account.refresh_from_db()
    assert cast.account.name == "Team Red"


def test_the_typed_handle_closes(cast: Cast) -> None:
    client = just_signed_in(cast.client("owner"))
    assert client.post(f"{URL}close/", {"confirm": "team-red"}).url == "/"
    assert client.get(URL).status_code == 404
    assert Account.objects.get(handle="team-red").closed_at


@pytest.mark.parametrize("typed", ["", "Team Red"])
def test_another_word_does_not_close(cast: Cast, typed: str) -> None:
    answer = cast.client("owner").post(f"{URL}close/", {"confirm": typed})
    assert answer.status_code == 400
    assert "Type team-red to confirm." in answer.content.decode()
    assert not Account.objects.get(handle="team-red").closed_at


@pytest.mark.parametrize("who", NOT_OWNERS)
def test_the_others_do_not_close(cast: Cast, who: str) -> None:
    assert cast.client(who).post(f"{URL}close/", {"confirm": "team-red"}).status_code in (302, 403, 404)
    assert not Account.objects.get(handle="team-red").closed_at


@pytest.mark.parametrize("verb", ["rename", "close"])
def test_verbs_reject_get(cast: Cast, verb: str) -> None:
    assert cast.client("owner").get(f"{URL}{verb}/").status_code == 405


def test_a_closed_accounts_user_page_is_gone(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    client = just_signed_in(cast.client("owner"))
    client.post(f"{URL}close/", {"confirm": "team-red"})
    assert client.get(user.get_absolute_url()).status_code == 404
