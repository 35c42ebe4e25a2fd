"""System → People: what operators see of persons, what they do to them, and what becomes of what a person has."""

import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import live_updates, people_list
from accounts.common.errors import Conflict
from accounts.models import ApiToken, AuditEvent, Invitation, Member, Person, SecurityEvent
from accounts.services import invitations, person_access
from tests import factories, statements
from tests.cast import Cast, client_for, just_signed_in, principal_of
from tests.django.api.caller import Caller, error_of, token_of

LIST = "/system/people/"


def page_of(person: Person, act: str = "") -> str:
    return f"{LIST}{person.pk}/{act}"


def signed_in(person: Person) -> Client:
    """By the page, so that the session is one of those that are listed."""
    client = Client()
    answer = client.post("/me/login/", {"login": person.email, "password": factories.PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


@pytest.fixture
def browser(operator: Person) -> Client:
    """An operator's, who has just given the password."""
    return just_signed_in(client_for(operator))


def listed(client: Client, query: str = "") -> list[str]:
    return [row.person.email for row in client.get(LIST + query).context["rows"]]


# The list ---------------------------------------------------------------------------------------------


def test_all_persons_by_address_with_their_accounts(cast: Cast, browser: Client) -> None:
    page = browser.get(LIST)
    assert [row.person.email for row in page.context["rows"]] == [
        "manager@example.com",
        "operator@example.com",
        "owner@example.com",
        "stranger@example.com",
        "viewer@example.com",
    ]
    assert "Team Red" in page.text


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_for_others_it_is_not_there(cast: Cast, who: str) -> None:
    for path in (LIST, page_of(cast.viewer), page_of(cast.viewer, "disable/")):
        assert cast.client(who).get(path).status_code == 404
    assert cast.client(who).post(page_of(cast.viewer, "disable/")).status_code == 404
    cast.viewer.refresh_from_db()
    assert cast.viewer.is_active


def test_search_and_states(cast: Cast, operator: Person) -> None:
    Person.objects.filter(pk=cast.viewer.pk).update(is_active=False)
    Person.objects.filter(pk=cast.owner.pk).update(last_login=timezone.now())
    client = client_for(operator)
    assert listed(client, "?q=MANAG") == ["manager@example.com"]
    assert listed(client, "?state=disabled") == ["viewer@example.com"]
    assert listed(client, "?state=operators") == ["operator@example.com"]
    assert "owner@example.com" not in listed(client, "?state=never")
    assert len(listed(client, "?state=no_factor")) == 5
    assert listed(client, "?q=nobody") == []
    assert len(listed(client, "?state=odd")) == 5


def test_who_has_a_factor_is_not_without_one(cast: Cast) -> None:
    Authenticator.objects.create(user=cast.owner, type="totp", data={})
    Authenticator.objects.create(user=cast.viewer, type="recovery_codes", data={})
    found = {each.email: each.factor_count for each in people_list.people(now=timezone.now())}  # type: ignore[attr-defined]
    assert (found["owner@example.com"], found["viewer@example.com"]) == (1, 0)
    without = people_list.people(state="no_factor", now=timezone.now())
    assert {"owner@example.com"} == set(found) - {each.email for each in without}


@pytest.mark.parametrize(
    ("path", "most"), [(LIST, 7), (f"{LIST}?q=person&state=operators", 7), ("a person", 8)]
)
def test_pages_ask_little_of_many_persons(cast: Cast, operator: Person, path: str, most: int) -> None:
    people = Person.objects.bulk_create([factories.PersonFactory.build() for _each in range(60)])
    Member.objects.bulk_create([Member(account=cast.account, person=each, role="owner") for each in people])
    client = client_for(operator)
    path = page_of(cast.owner) if path == "a person" else path
    client.get(path)
    with statements.counted() as asked:
        assert client.get(path).status_code == 200
    assert len(asked) <= most, "\n".join(asked)


def test_the_list_has_pages(cast: Cast, operator: Person) -> None:
    Person.objects.bulk_create([factories.PersonFactory.build() for _each in range(60)])
    client = client_for(operator)
    first = client.get(LIST).context["page"]
    second = client.get(LIST + first.next_url).context["page"]
    assert len(first.rows) + len(second.rows) == 65
    assert not {each.pk for each in first.rows} & {each.pk for each in second.rows}


# Disabling --------------------------------------------------------------------------------------------


def test_the_question_names_what_becomes_of_what_they_have(cast: Cast, browser: Client) -> None:
    signed_in(cast.owner)
    token_of(cast.owner)
    page = browser.get(page_of(cast.owner, "disable/")).text
    for words in ("1 session ends", "1 API token is refused", "1 account has no other owner", "Team Red"):
        assert words in page
    factories.MemberFactory(account=cast.account, role="owner")
    assert "no other owner" not in browser.get(page_of(cast.owner, "disable/")).text


def test_an_owner_who_is_disabled_is_no_other_owner(cast: Cast) -> None:
    other = factories.MemberFactory(account=cast.account, role="owner").person
    assert people_list.owned_alone(cast.owner) == []
    Person.objects.filter(pk=other.pk).update(is_active=False)
    assert people_list.owned_alone(cast.owner) == [cast.account]


def test_who_is_disabled_is_out_at_once_everywhere(cast: Cast, browser: Client, operator: Person) -> None:
    """Pages, live updates, the API by token and by session; and all of it is back when they are enabled."""
    theirs, token = signed_in(cast.owner), token_of(cast.owner)
    request = theirs.get("/a/team-red/settings/").wsgi_request
    note = live_updates.note_along(request)
    key = str(request.session.session_key)
    assert live_updates.news(note, key) is live_updates.News.NOTHING
    assert Caller(token).get("me/").status_code == theirs.get("/api/v1/me/").status_code == 200

    assert browser.post(page_of(cast.owner, "disable/")).status_code == 302
    assert theirs.get("/a/team-red/settings/").status_code == 302
    assert live_updates.news(note, key) is live_updates.News.PERHAPS
    assert Caller(token).get("me/").status_code == theirs.get("/api/v1/me/").status_code == 401
    assert not UserSession.objects.filter(user=cast.owner).exists()
    again = Client().post("/me/login/", {"login": cast.owner.email, "password": factories.PASSWORD})
    assert not Client(headers={"cookie": again.cookies.output(header="", sep=";")}).get("/").context

    browser.post(page_of(cast.owner, "enable/"))
    assert Caller(token).get("me/").status_code == 200
    assert theirs.get("/a/team-red/settings/").status_code == 302  # the session has ended for good
    assert signed_in(cast.owner).get("/a/team-red/settings/").status_code == 200
    assert list(
        AuditEvent.objects.filter(object_kind="person").order_by("id").values_list("action", "actor")
    ) == [
        ("person.disabled", operator.email),
        ("person.enabled", operator.email),
    ]
    kinds = SecurityEvent.objects.filter(person=cast.owner).values_list("kind", flat=True)
    assert {"disabled", "enabled"} <= set(kinds)


def test_who_was_just_signing_in_when_they_were_disabled_is_not_in_once_enabled(
    cast: Cast, browser: Client
) -> None:
    theirs = signed_in(cast.owner)  # as if the session came right after the others had ended
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)
    browser.post(page_of(cast.owner, "enable/"))
    assert theirs.get("/a/team-red/settings/").status_code == 302


def test_a_session_that_allauth_does_not_list_lets_nobody_in_either(cast: Cast, operator: Person) -> None:
    theirs = cast.client("owner")
    person_access.disable(by=principal_of(operator), person=cast.owner)
    assert theirs.get("/a/team-red/settings/").status_code == 302


def test_invitations_of_who_is_disabled_let_nobody_in(cast: Cast, operator: Person) -> None:
    invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    person_access.disable(by=principal_of(operator), person=cast.owner)
    assert not Invitation.objects.live(timezone.now()).exists()


def test_nobody_disables_themselves(cast: Cast, browser: Client, operator: Person) -> None:
    factories.PersonFactory(is_staff=True)
    answer = browser.post(page_of(operator, "disable/"), follow=True)
    assert "You cannot disable yourself." in answer.text
    operator.refresh_from_db()
    assert operator.is_active


def test_the_last_operator_who_can_sign_in_stays_one(cast: Cast, operator: Person) -> None:
    """Whoever asks: a disabled operator is no other one."""
    other = factories.PersonFactory(is_staff=True)
    by = principal_of(other)
    person_access.disable(by=principal_of(operator), person=other)
    for act in (person_access.disable, person_access.unmake_operator):
        with pytest.raises(Conflict, match="last operator"):
            act(by=by, person=operator)
    person_access.unmake_operator(by=by, person=other)  # who could not sign in anyway
    person_access.make_operator(by=by, person=cast.owner)
    person_access.unmake_operator(by=by, person=operator)
    assert list(Person.objects.filter(is_staff=True)) == [cast.owner]


# Other acts -------------------------------------------------------------------------------------------


def test_making_and_unmaking_an_operator(cast: Cast, browser: Client) -> None:
    theirs = cast.client("owner")
    assert theirs.get(LIST).status_code == 404
    assert "make themselves owner of any account" in browser.get(page_of(cast.owner, "make-operator/")).text
    browser.post(page_of(cast.owner, "make-operator/"))
    assert theirs.get(LIST).status_code == 200
    browser.post(page_of(cast.owner, "end-operator/"))
    assert theirs.get(LIST).status_code == 404
    actions = (
        AuditEvent.objects.filter(object_id=str(cast.owner.pk))
        .order_by("id")
        .values_list("action", flat=True)
    )
    assert list(actions) == ["person.made_operator", "person.operator_ended"]


def test_a_role_that_a_group_gave_comes_back_and_the_question_says_so(cast: Cast, browser: Client) -> None:
    Person.objects.filter(pk=cast.owner.pk).update(is_staff=True, operator_by_group=True)
    assert "gives it again at their next sign-in" in browser.get(page_of(cast.owner, "end-operator/")).text
    browser.post(page_of(cast.owner, "end-operator/"))
    cast.owner.refresh_from_db()
    assert (cast.owner.is_staff, cast.owner.operator_by_group) == (False, False)


def test_who_ends_their_own_role_is_led_away(cast: Cast, browser: Client, operator: Person) -> None:
    factories.PersonFactory(is_staff=True)
    assert browser.post(page_of(operator, "end-operator/"))["Location"] == "/"
    assert browser.get(LIST).status_code == 404


def test_a_disabled_person_becomes_no_operator(cast: Cast, browser: Client) -> None:
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)
    answer = browser.post(page_of(cast.owner, "make-operator/"), follow=True)
    assert "A disabled person cannot be an operator." in answer.text
    cast.owner.refresh_from_db()
    assert not cast.owner.is_staff


def test_removing_second_factors(cast: Cast, browser: Client) -> None:
    for kind in ("totp", "webauthn", "recovery_codes"):
        Authenticator.objects.create(user=cast.owner, type=kind, data={})
    assert "Remove second factors" in browser.get(page_of(cast.owner)).text
    assert "2 second factors are removed" in browser.get(page_of(cast.owner, "reset-factors/")).text
    assert browser.post(page_of(cast.owner, "reset-factors/")).status_code == 302
    assert not Authenticator.objects.filter(user=cast.owner).exists()
    assert AuditEvent.objects.get().action == "person.second_factors_reset"
    assert "Remove second factors" not in browser.get(page_of(cast.owner)).text


@pytest.mark.parametrize("act", ["disable", "make-operator", "end-operator", "reset-link", "reset-factors"])
def test_dangerous_acts_ask_who_you_are(cast: Cast, operator: Person, act: str) -> None:
    """A session that was left open is not enough."""
    factories.PersonFactory(is_staff=True)
    Person.objects.filter(pk=cast.owner.pk).update(is_staff=act == "end-operator")
    before = Person.objects.values_list("is_active", "is_staff").get(pk=cast.owner.pk)
    answer = client_for(operator).post(page_of(cast.owner, f"{act}/"))
    assert (answer.status_code, "reauthenticate" in answer["Location"]) == (302, True)
    assert Person.objects.values_list("is_active", "is_staff").get(pk=cast.owner.pk) == before
    assert not AuditEvent.objects.exists()


def test_ending_all_sessions_leaves_tokens(cast: Cast, browser: Client) -> None:
    theirs, token = [signed_in(cast.owner), signed_in(cast.owner)], token_of(cast.owner)
    assert "2 sessions end" in browser.get(page_of(cast.owner, "end-sessions/")).text
    browser.post(page_of(cast.owner, "end-sessions/"))
    assert [each.get("/a/team-red/settings/").status_code for each in theirs] == [302, 302]
    assert Caller(token).get("me/").status_code == 200
    event = AuditEvent.objects.get(action="person.sessions_ended")
    assert event.after == {"sessions": 2}


def test_without_a_mail_server_the_link_is_shown_once_and_sets_a_password(
    cast: Cast, browser: Client, settings: Any
) -> None:
    settings.EMAIL_URL = ""
    page = browser.post(page_of(cast.owner, "reset-link/"))
    assert page["Cache-Control"].startswith("max-age=0")
    link = page.context["link"]
    assert link in page.text
    assert AuditEvent.objects.get(action="person.reset_link_made").after == {"mailed": False}
    assert "/me/" not in json.dumps([each.after for each in AuditEvent.objects.all()])
    client = Client()
    path = client.get(link.removeprefix(settings.PUBLIC_URL))["Location"]
    new = "a much longer sentence"
    assert client.post(path, {"password1": new, "password2": new}).status_code == 302
    cast.owner.refresh_from_db()
    assert cast.owner.check_password(new)
    assert "token_fail" in str(Client().get(link.removeprefix(settings.PUBLIC_URL)).context)


def test_with_a_mail_server_the_link_goes_to_the_person_alone(
    cast: Cast, browser: Client, settings: Any
) -> None:
    settings.EMAIL_URL = "smtp://mail.example.com"
    answer = browser.post(page_of(cast.owner, "reset-link/"), follow=True)
    assert "was sent to owner@example.com" in answer.text
    assert "/me/password/reset/key/" not in answer.text
    (sent,) = mail.outbox
    assert sent.to == ["owner@example.com"]
    assert "/me/password/reset/key/" in sent.body


def test_who_signs_in_at_a_provider_alone_gets_no_link(cast: Cast, browser: Client) -> None:
    SocialAccount.objects.create(user=cast.owner, provider="sso", uid="1")
    assert "Create a password reset link" in browser.get(page_of(cast.owner)).text  # a password, too
    cast.owner.set_unusable_password()
    cast.owner.save()
    page = browser.get(page_of(cast.owner)).text
    assert "signs in by single sign-on only" in page
    assert "Create a password reset link" not in page
    browser.post(page_of(cast.owner, "reset-link/"))
    assert not AuditEvent.objects.exists()


def test_who_is_disabled_gets_no_link(cast: Cast, browser: Client) -> None:
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)
    assert (
        "A disabled person cannot sign in."
        in browser.post(page_of(cast.owner, "reset-link/"), follow=True).text
    )
    assert not AuditEvent.objects.exists()


# The API ----------------------------------------------------------------------------------------------


def test_the_api_tells_the_same(cast: Cast, operator: Person) -> None:
    caller = Caller(token_of(operator))
    token_of(cast.owner)
    ApiToken.objects.create(
        person=cast.owner, name="over", digest="1", hint="abcd", expires_at=timezone.now() - timedelta(days=1)
    )
    (found,) = caller.get("system/people/?search=owner").json()["results"]
    assert (found["email"], found["is_active"], found["is_operator"], found["api_token_count"]) == (
        "owner@example.com",
        True,
        False,
        1,
    )
    assert found["memberships"] == [{"account": "team-red", "role": "owner"}]
    one = caller.get(f"system/people/{cast.owner.pk}/").json()
    assert (one["accounts_owned_alone"], one["session_count"]) == (["team-red"], 0)
    shut = caller.post(f"system/people/{cast.owner.pk}/disable/").json()
    assert shut["is_active"] is False
    assert caller.get("system/people/?state=disabled").json()["results"][0]["id"] == cast.owner.pk
    assert caller.get(f"system/people/{2**70}/").status_code == 404


def test_no_token_makes_an_operator_or_a_link(cast: Cast, operator: Person) -> None:
    caller = Caller(token_of(operator))
    for act in ("operator", "reset-link"):
        refused = caller.post(f"system/people/{cast.owner.pk}/{act}/")
        assert refused.status_code == 403
        assert "sign in to the panel" in error_of(refused)["message"]
    cast.owner.refresh_from_db()
    assert not cast.owner.is_staff


@pytest.mark.parametrize(
    ("method", "act"),
    [
        ("POST", "disable"),
        ("POST", "reset-link"),
        ("POST", "reset-factors"),
        ("POST", "operator"),
        ("DELETE", "operator"),
    ],
)
def test_a_session_has_to_be_confirmed_first(cast: Cast, operator: Person, method: str, act: str) -> None:
    caller = Caller()
    caller.client = client_for(operator)
    refused = caller(method, f"system/people/{cast.owner.pk}/{act}/")
    assert (refused.status_code, error_of(refused)["code"]) == (403, "reauthentication_required")
    just_signed_in(caller.client)
    assert caller(method, f"system/people/{cast.owner.pk}/{act}/").status_code in (200, 204)


def test_a_conflict_has_its_sentence(cast: Cast, operator: Person) -> None:
    refused = Caller(token_of(operator)).delete(f"system/people/{operator.pk}/operator/")
    assert refused.status_code == 409
    assert "last operator" in error_of(refused)["message"]
