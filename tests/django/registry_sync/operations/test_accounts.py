"""System → Accounts: what operators see of accounts, and what suspending, limits and an assigned owner do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AuditEvent, Member, Person
from accounts.services import suspension
from namespaces.models import Usage
from tests import factories, statements
from tests.cast import MEMBERS, Cast, client_for, just_signed_in, principal_of
from tests.django.api.caller import Caller, error_of, fields_of, token_of

LIST, RED = "/system/accounts/", "/system/accounts/team-red/"
API_RED = "system/accounts/team-red/"


@pytest.fixture
def browser(operator: Person) -> Client:
    return just_signed_in(client_for(operator))


def handles(client: Client, query: str = "") -> list[str]:
    return [row.account.handle for row in client.get(LIST + query).context["rows"]]


def suspend(account: Account, operator: Person) -> None:
    suspension.suspend(by=principal_of(operator), account=account)
    account.refresh_from_db()


# The list ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [*MEMBERS, "stranger"])
def test_for_others_it_is_not_there(cast: Cast, who: str) -> None:
    client = cast.client(who)
    for path in (LIST, RED, f"{RED}suspend/"):
        assert client.get(path).status_code == 404
    for act in ("suspend", "restore", "limits", "owner"):
        assert client.post(f"{RED}{act}/", {"email": f"{who}@example.com", "users": "0"}).status_code == 404
    cast.account.refresh_from_db()
    assert (cast.account.suspended_at, cast.account.max_users) == (None, None)
    assert not AuditEvent.objects.exists()


def test_search_state_and_order(cast: Cast, browser: Client, operator: Person) -> None:
    assert handles(browser) == ["elsewhere", "team-red"]
    assert handles(browser, "?q=stranger@") == ["elsewhere"]
    assert handles(browser, "?q=Team") == ["team-red"]
    assert handles(browser, "?q=viewer@") == []  # no owner
    today = timezone.localdate()
    for day, size in ((today - timedelta(days=1), 9_000_000), (today, 5_000_000)):
        Usage.objects.create(account_id=cast.account.pk, namespace_id=0, day=day, stored_bytes=size)
    assert handles(browser, "?sort=-stored") == ["team-red", "elsewhere"]
    assert "5.0 MB" in browser.get(LIST).text
    suspend(cast.account, operator)
    Account.objects.filter(pk=cast.elsewhere.pk).update(closed_at=timezone.now())
    assert handles(browser, "?state=suspended") == ["team-red"]
    assert handles(browser, "?state=closed") == ["elsewhere"]
    assert handles(browser, "?state=open") == []
    assert handles(browser, "?state=ownerless") == []
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)
    assert handles(browser, "?state=ownerless") == ["team-red"]


@pytest.mark.parametrize(
    ("path", "most"), [(LIST, 7), (f"{LIST}?sort=-stored", 7), (f"{LIST}?q=owner", 7), (RED, 8)]
)
def test_pages_ask_little_of_many_accounts(cast: Cast, browser: Client, path: str, most: int) -> None:
    accounts = Account.objects.bulk_create([factories.AccountFactory.build() for _each in range(60)])
    Member.objects.bulk_create([Member(account=each, person=cast.owner, role="owner") for each in accounts])
    factories.RegistryUserFactory.create_batch(3, account=cast.account)
    browser.get(path)
    with statements.counted() as asked:
        assert browser.get(path).status_code == 200
    assert len(asked) <= most, "\n".join(asked)


@pytest.mark.parametrize("sort", ["", "-stored"])
def test_the_list_has_pages(cast: Cast, browser: Client, sort: str) -> None:
    Account.objects.bulk_create([factories.AccountFactory.build() for _each in range(60)])
    first = browser.get(f"{LIST}?sort={sort}").context["page"]
    second = browser.get(LIST + first.next_url).context["page"]
    assert len({each.pk for each in [*first.rows, *second.rows]}) == len(first.rows) + len(second.rows) == 62


# Suspending -------------------------------------------------------------------------------------------


def test_the_question_counts_and_the_act_is_told_and_undone(
    cast: Cast, browser: Client, operator: Person
) -> None:
    factories.RegistryUserFactory.create_batch(2, account=cast.account)
    factories.NamespaceFactory(account=cast.account, public=True)
    page = browser.get(f"{RED}suspend/").text
    for words in ("2 users get no tokens", "1 public namespace.", "sync goes on"):
        assert words in page
    for _twice in range(2):
        browser.post(f"{RED}suspend/")
    assert "suspended" in browser.get(RED).text
    for who in MEMBERS:
        shown = cast.client(who).get("/a/team-red/images/").text
        assert "This account is suspended." in shown
        assert RED not in shown
    assert "This account is suspended." not in cast.client("stranger").get("/a/elsewhere/images/").text
    assert (
        cast.client("owner").post(reverse("account-rename", args=["team-red"]), {"name": "Red"}).status_code
        == 302
    )

    for _twice in range(2):
        browser.post(f"{RED}restore/")
    assert "This account is suspended." not in cast.client("owner").get("/a/team-red/images/").text
    events = AuditEvent.objects.filter(action__in=["account.suspended", "account.restored"]).order_by("id")
    assert [(each.action, each.actor, each.account_id) for each in events] == [
        ("account.suspended", operator.email, cast.account.pk),
        ("account.restored", operator.email, cast.account.pk),
    ]
    assert "suspended the account" in cast.client("viewer").get("/a/team-red/activity/").text


def test_an_operator_who_is_a_member_is_led_to_where_it_is_restored(
    cast: Cast, browser: Client, operator: Person
) -> None:
    factories.MemberFactory(account=cast.account, person=operator, role="viewer")
    suspend(cast.account, operator)
    assert f'href="{RED}"' in browser.get("/a/team-red/images/").text


def test_a_closed_account_is_neither_suspended_nor_given_an_owner(cast: Cast, browser: Client) -> None:
    Account.objects.filter(pk=cast.account.pk).update(closed_at=timezone.now())
    page = browser.get(RED).text
    assert "Suspend account" not in page
    assert "Assign owner" not in page
    for act in ("suspend", "restore"):
        assert "The account is closed." in browser.post(f"{RED}{act}/", follow=True).text
    answer = browser.post(f"{RED}owner/", {"email": cast.stranger.email})
    assert answer.status_code == 400
    assert not AuditEvent.objects.exists()


# Limits -----------------------------------------------------------------------------------------------


def test_limits_of_one_account(cast: Cast, browser: Client, settings: Any) -> None:
    settings.MAX_USERS_PER_ACCOUNT, settings.MAX_MEMBERS_PER_ACCOUNT = 2000, 0
    factories.RegistryUserFactory(account=cast.account)
    page = browser.get(RED).text
    assert 'placeholder="2000"' in page
    assert 'placeholder="no limit"' in page
    assert browser.post(f"{RED}limits/", {"users": "5", "members": "3", "grants": ""}).status_code == 302
    cast.account.refresh_from_db()
    assert (cast.account.max_users, cast.account.max_members, cast.account.max_grants) == (5, 3, None)
    shown = cast.client("viewer").get("/a/team-red/settings/").text
    assert "1 of 5 users" in shown
    assert "3 of 3 members" in shown
    bad = browser.post(f"{RED}limits/", {"users": "-1", "members": "many"})
    assert (bad.status_code, set(bad.context["limits_form"].errors)) == (400, {"users", "members"})
    cast.account.refresh_from_db()
    assert cast.account.max_users == 5


# An owner ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_an_assigned_owner_is_one_at_once(cast: Cast, browser: Client, who: str) -> None:
    person = getattr(cast, who)
    assert browser.post(f"{RED}owner/", {"email": person.email.upper()}).status_code == 302
    assert Member.objects.get(account=cast.account, person=person).role == "owner"
    assert cast.client(who).get("/a/team-red/settings/").status_code == 200
    event = AuditEvent.objects.get()
    assert (event.action, event.object, event.account_id) == (
        "member.assigned",
        person.email,
        cast.account.pk,
    )
    assert event.before == ({"role": "viewer"} if who == "viewer" else {})


@pytest.mark.parametrize(("page", "call", "form"), [("owner", "owners", True), ("suspend", "suspend", False)])
def test_a_session_left_open_neither_assigns_an_owner_nor_suspends(
    cast: Cast, operator: Person, page: str, call: str, form: bool
) -> None:
    left_open, given = client_for(operator), {"email": cast.stranger.email} if form else {}
    answer = left_open.post(f"{RED}{page}/", given)
    assert (answer.status_code, "reauthenticate" in answer["Location"]) == (302, True)
    answer = left_open.post(f"/api/v1/{API_RED}{call}/", given, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "reauthentication_required")
    cast.account.refresh_from_db()
    assert not cast.account.suspended_at
    assert not Member.objects.filter(account=cast.account, person=cast.stranger).exists()


def test_an_assigned_owner_stays_one_whatever_groups_give(cast: Cast, browser: Client) -> None:
    Member.objects.filter(account=cast.account, person=cast.viewer).update(group_role="viewer")
    browser.post(f"{RED}owner/", {"email": cast.viewer.email})
    member = Member.objects.get(account=cast.account, person=cast.viewer)
    assert (member.role, member.hand_role, member.group_role) == ("owner", "owner", "viewer")


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("nobody@example.com", "No person signs in with this address."),
        ("retired@example.com", "This person is disabled."),
        ("owner@example.com", "This person is an owner already."),
    ],
)
def test_who_cannot_be_an_owner(cast: Cast, browser: Client, email: str, sentence: str) -> None:
    factories.PersonFactory(email="retired@example.com", is_active=False)
    answer = browser.post(f"{RED}owner/", {"email": email})
    assert (answer.status_code, answer.context["owner_form"].errors) == (400, {"email": [sentence]})
    assert not AuditEvent.objects.exists()


def test_a_new_owner_takes_the_room_of_a_member(cast: Cast, browser: Client) -> None:
    Account.objects.filter(pk=cast.account.pk).update(max_members=3)
    assert browser.post(f"{RED}owner/", {"email": cast.stranger.email}).status_code == 400
    assert browser.post(f"{RED}owner/", {"email": cast.viewer.email}).status_code == 302


# The API ----------------------------------------------------------------------------------------------


def test_the_api_does_the_same(cast: Cast, operator: Person) -> None:
    caller = Caller(token_of(operator))
    (found,) = caller.get("system/accounts/?search=team").json()["results"]
    assert (found["handle"], found["state"], found["owners"]) == ("team-red", "open", ["owner@example.com"])
    assert caller.post(f"{API_RED}suspend/").json()["state"] == "suspended"
    assert caller.post(f"{API_RED}restore/").json()["suspended_at"] is None
    changed = caller.patch(f"{API_RED}limits/", {"users": 9, "grants": 0}).json()
    assert (changed["own_limits"]["users"], changed["own_limits"]["grants"]) == (9, 0)
    assert (changed["limits"]["users"]["limit"], changed["limits"]["grants"]["limit"]) == (9, None)
    assert caller.patch(f"{API_RED}limits/", {"users": None}).json()["own_limits"]["users"] is None
    assert fields_of(caller.patch(f"{API_RED}limits/", {"users": -1})) == {"users"}
    made = caller.post(f"{API_RED}owners/", {"email": cast.stranger.email})
    assert (made.status_code, made.json()["role"]) == (201, "owner")
    again = caller.post(f"{API_RED}owners/", {"email": cast.stranger.email})
    assert (again.status_code, error_of(again)["code"]) == (409, "conflict")
    assert caller.get("system/accounts/nobody/").status_code == 404
