"""GET, POST /accounts/new/"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AuditEvent, Member
from accounts.names import HANDLE, HANDLE_MAX
from accounts.services import accounts
from tests.cast import Cast

URL = "/accounts/new/"


@pytest.mark.parametrize("who", ["owner", "viewer", "stranger"])
def test_every_person_may_open_one_and_owns_it(cast: Cast, who: str) -> None:
    answer = cast.client(who).post(URL, {"name": "  New   Team "})
    assert answer.url == "/a/new-team/images/"
    member = Member.objects.get(account__handle="new-team")
    assert (member.person, member.role) == (getattr(cast, who), "owner")
    assert member.account.name == "New Team"
    assert AuditEvent.objects.get(action="account.opened").actor == f"{who}@example.com"


def test_anonymous_may_not(cast: Cast) -> None:
    assert cast.client("anonymous").post(URL, {"name": "New"}).url.startswith("/me/login/")
    assert not Account.objects.filter(handle="new").exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_bad_name_is_said_beside_it(cast: Cast, name: str) -> None:
    answer = cast.client("owner").post(URL, {"name": name})
    assert answer.status_code == 400
    assert answer.context["form"].errors["name"]


def test_the_same_name_gets_another_handle(cast: Cast) -> None:
    assert cast.client("owner").post(URL, {"name": "Team Red"}).url == "/a/team-red-2/images/"


def test_the_form_shows(cast: Cast) -> None:
    assert cast.client("stranger").get(URL).status_code == 200


@pytest.mark.parametrize("name", ["Blue", "a" * 80, "aaaa-" * 16, "New", "..."])
def test_many_of_one_name_make_the_next_no_slower(cast: Cast, name: str) -> None:
    """Nor are their handles ever anything but handles."""
    by = cast.by("stranger")
    for _ in range(15):
        accounts.open_account(by=by, name=name)
    with CaptureQueriesContext(connection) as queries:
        last = accounts.open_account(by=by, name=name)
    assert len(queries) < 50
    handles = list(Account.objects.filter(name=last.name).values_list("handle", flat=True))
    assert len(set(handles)) == 16
    assert all(HANDLE.fullmatch(each) and len(each) <= HANDLE_MAX for each in handles)
