"""GET /a/<handle>/activity/"""

import re
from pathlib import Path

import pytest

from accounts.pages.activity import DEEDS
from accounts.services import accounts, members, users
from tests.cast import MEMBERS, Cast

URL = "/a/team-red/activity/"


@pytest.fixture(autouse=True)
def _history(cast: Cast) -> None:
    by = cast.by("owner")
    accounts.rename(by=by, account=cast.account, name="Team Crimson")
    users.create(by=by, account=cast.account, description="CI deploy", expires_at=None)
    members.invite(by=by, account=cast.account, role="viewer")
    users.create(by=cast.by("stranger"), account=cast.elsewhere, description="Hidden", expires_at=None)


@pytest.mark.parametrize("who", MEMBERS)
def test_members_read_who_did_what_from_where(cast: Cast, who: str) -> None:
    page = cast.client(who).get(URL).content.decode()
    told = (
        *("owner@example.com", "192.0.2.7", "CI deploy (", "made an invitation link for a viewer"),
        *("renamed the account to", "<del>Team Red</del>", "<ins>Team Crimson</ins>"),
    )
    for words in told:
        assert words in page


def test_other_accounts_are_not_told_of(cast: Cast) -> None:
    assert "Hidden" not in cast.client("owner").get(URL).content.decode()


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
def test_outsiders_read_nothing(cast: Cast, who: str, status: int) -> None:
    assert cast.client(who).get(URL).status_code == status


def test_search(cast: Cast) -> None:
    lines = cast.client("viewer").get(URL, {"q": "ci dep"}).context["lines"]
    assert [line.event.action for line in lines] == ["user.created"]


def test_a_search_without_result_says_so(cast: Cast) -> None:
    assert "Nothing matches “foo”" in cast.client("viewer").get(URL, {"q": "foo"}).content.decode()


def test_it_is_paged(cast: Cast) -> None:
    for _ in range(60):
        members.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    client = cast.client("viewer")
    first = client.get(URL).context["page"]
    assert len(first.rows) == 50
    assert len(client.get(URL + first.next_url).context["page"].rows) == 13


def test_it_rejects_post(cast: Cast) -> None:
    assert cast.client("owner").post(URL).status_code == 405


def test_every_action_has_its_words() -> None:
    root = Path(__file__).parents[3]
    sources = [path.read_text() for app in ("accounts", "namespaces", "registry_sync")
               for path in (root / app).rglob("*.py")]  # fmt: skip
    recorded = {word for text in sources for line in re.findall(r'action="[^,]*', text)
                for word in re.findall(r'"([a-z_]+\.[a-z_]+)"', line)}  # fmt: skip
    assert recorded
    assert recorded <= set(DEEDS)
