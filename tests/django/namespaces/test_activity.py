"""GET /a/<handle>/activity/"""

from datetime import UTC, datetime

import pytest
from django.utils.functional import Promise

from accounts.audit_actions import AUDIT_KINDS, AuditAction
from accounts.models import AuditEvent
from accounts.services import accounts, invitations, users
from tests.cast import MEMBERS, Cast

URL = "/a/team-red/activity/"


@pytest.fixture(autouse=True)
def _history(cast: Cast) -> None:
    by = cast.by("owner")
    accounts.rename(by=by, account=cast.account, name="Team Crimson")
    users.create(by=by, account=cast.account, description="CI deploy", expires_at=None)
    invitations.invite(by=by, account=cast.account, role="viewer")
    users.create(by=cast.by("stranger"), account=cast.elsewhere, description="Hidden", expires_at=None)


@pytest.mark.parametrize("who", MEMBERS)
def test_members_read_who_did_what_from_where(cast: Cast, who: str) -> None:
    page = " ".join(cast.client(who).get(URL).content.decode().split())
    told = (
        *("owner@example.com", "192.0.2.7", "CI deploy (", "created an invitation link for a viewer"),
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
    assert [line.entry.action for line in lines] == ["user.created"]


@pytest.mark.parametrize(
    ("query", "deeds"),
    [
        ("kind=users", ["user.created"]),
        ("kind=members", ["member.invited"]),
        ("kind=account", ["account.renamed"]),
        ("kind=account&q=crimson", ["account.renamed"]),
        ("kind=users&q=crimson", []),
        ("kind=rules", []),
        ("since=2020-03-02", ["user.created", "member.invited"]),
        ("until=2020-03-01", ["account.renamed"]),
        ("since=2020-03-01&until=2020-03-01", ["account.renamed"]),
        ("until=9999-12-31", ["account.renamed", "user.created", "member.invited"]),
    ],
)
def test_it_is_narrowed_by_kind_and_days(cast: Cast, query: str, deeds: list[str]) -> None:
    moment = datetime(2020, 3, 1, 23, 59, 59, tzinfo=UTC)
    first = AuditEvent.objects.filter(account_id=cast.account.pk).order_by("id")[0]
    AuditEvent.objects.bulk_create([copied(first, at=moment)])
    rows = cast.client("viewer").get(f"{URL}?{query}").context["lines"]
    shown = [line.entry.action for line in rows if line.entry.at != first.at]
    assert sorted(shown) == sorted(deeds)


def copied(event: AuditEvent, **changes: object) -> AuditEvent:
    values = {field.attname: getattr(event, field.attname) for field in AuditEvent._meta.concrete_fields}
    return AuditEvent(**values | {"id": None} | changes)


@pytest.mark.parametrize("query", ["kind=secrets", "since=yesterday", "until=2026-02-30", "q=%00"])
def test_a_strange_filter_says_so_and_narrows_nothing(cast: Cast, query: str) -> None:
    page = cast.client("viewer").get(f"{URL}?{query}")
    assert page.status_code == 400
    assert len(page.context["lines"]) == 3


def test_every_action_can_be_found_by_its_kind() -> None:
    # Of no account, or of the operator.
    others = ("api_token.", "backup.", "event.", "registry.", "group_role.", "person.", "sign_in.", "sync.")
    starts = tuple(start for each in AUDIT_KINDS.values() for start in each) + others
    assert [action for action in AuditAction if not action.startswith(starts)] == []


def test_a_search_without_result_says_so(cast: Cast) -> None:
    page = cast.client("viewer").get(URL, {"q": "no such deed"}).content.decode()
    assert "Nothing matches “no such deed”" in page


def test_it_is_paged(cast: Cast) -> None:
    for _ in range(60):
        invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    client = cast.client("viewer")
    first = client.get(URL).context["page"]
    assert len(first.rows) == 50
    assert len(client.get(URL + first.next_url).context["page"].rows) == 13


def test_it_rejects_post(cast: Cast) -> None:
    assert cast.client("owner").post(URL).status_code == 405


def test_every_action_has_a_text_of_its_own() -> None:
    """Without one, Django makes a label of the member's name, which is no translation."""
    assert [action for action in AuditAction if not isinstance(action._label_, Promise)] == []


def test_the_code_of_a_later_release_is_shown_as_it_is(cast: Cast) -> None:
    AuditEvent.objects.create(
        account_id=cast.account.pk, actor_kind="system", actor="system", action="user.cloned"
    )
    assert cast.client("viewer").get(URL).context["lines"][0].deed == "user.cloned"


def test_every_action_fits_its_column() -> None:
    assert max(map(len, AuditAction.values)) <= AuditEvent._meta.get_field("action").max_length
