"""A second factor is required: who gets where before they have one, and that nobody is locked out for good."""

import io
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command, get_commands
from django.test import Client

from accounts.models import AuditEvent, Person, SecurityEvent, SignInPolicy
from accounts.second_factor_policy import RequiredOf
from accounts.second_factors.requirement import installation_rule
from tests import factories as rows
from tests.cast import Cast, client_for, just_signed_in
from tests.django.accounts.second_factors import factors
from tests.django.api import world as worlds
from tests.django.api.caller import API, Caller, error_of, token_of
from tests.django.api.world import World

pytestmark = pytest.mark.django_db
SETTINGS, SWITCH, SET_UP = "/a/team-red/settings/", "/a/team-red/settings/second-factor/", "/me/2fa/"
SYSTEM = "/system/sign-in/"


@pytest.fixture
def world(cast: Cast) -> World:
    return worlds.make(cast)


def close_to_who_has_none(cast: Cast) -> None:
    cast.account.second_factor_required = True
    cast.account.save()


def require_of(rule: RequiredOf) -> None:
    SignInPolicy.objects.create(second_factor=rule.value)


def leads_to_set_up(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer.headers["Location"] == SET_UP)


# An account ------------------------------------------------------------------------------------------


def test_who_has_one_gets_in_and_so_does_nobody_else(cast: Cast) -> None:
    close_to_who_has_none(cast)
    factors.add_app(cast.manager)
    assert cast.client("manager").get(SETTINGS).status_code == 200
    assert leads_to_set_up(cast.client("viewer").get(SETTINGS))
    assert cast.client("stranger").get(SETTINGS).status_code == 404
    assert cast.client("stranger").get("/a/elsewhere/settings/").status_code == 200


def test_recovery_codes_alone_are_no_second_factor(cast: Cast) -> None:
    close_to_who_has_none(cast)
    factors.add_recovery_codes(cast.owner)
    assert leads_to_set_up(cast.client("owner").get(SETTINGS))


def test_the_page_says_who_requires_it_and_lets_in_afterwards(cast: Cast) -> None:
    close_to_who_has_none(cast)
    client = cast.client("owner")
    assert "Team Red requires a second factor." in client.get(SET_UP).text
    factors.add_app(cast.owner)
    assert "requires a second factor" not in client.get(SET_UP).text
    assert client.get(SETTINGS).status_code == 200


@pytest.mark.parametrize("by", ["account", "installation"])
def test_whoever_sets_one_up_goes_on_to_the_page_they_wanted(cast: Cast, by: str) -> None:
    if by == "account":
        close_to_who_has_none(cast)
    else:
        require_of(RequiredOf.EVERYBODY)
    client, page = cast.client("owner"), {"Accept": "text/html"}
    assert leads_to_set_up(client.get(f"{SETTINGS}?tab=1", headers=page))
    assert leads_to_set_up(client.get("/a/team-red/users/", headers=page | {"HX-Request": "true"}))
    assert leads_to_set_up(client.get("/a/team-red/users/"))
    assert leads_to_set_up(client.get(f"/a/team-red/users/?{'x' * 500}", headers=page))
    way_on = f'<a href="{SETTINGS}?tab=1">Go on to the page that you wanted</a>'
    assert way_on not in client.get(SET_UP).text
    factors.add_app(cast.owner)
    assert way_on in client.get(SET_UP).text
    assert way_on not in client.get(SET_UP).text


def test_the_home_page_and_the_search_tell_nothing_of_what_is_in_it(world: World) -> None:
    close_to_who_has_none(world.cast)
    client, caller = world.cast.client("owner"), world.caller("owner")
    assert "This account requires a second factor." in client.get("/?all=1").text
    assert world.tag.image.name not in client.get("/search/?q=app").text
    assert caller("GET", "search/?q=app").json()["results"] == []
    factors.add_app(world.cast.owner)
    assert "This account requires a second factor." not in client.get("/?all=1").text
    assert world.tag.image.name in client.get("/search/?q=app").text
    assert caller("GET", "search/?q=app").json()["results"]


def test_api_tokens_of_who_has_none_are_denied_in_that_account_alone(world: World) -> None:
    close_to_who_has_none(world.cast)
    caller = world.caller("owner")
    answer = caller("GET", "accounts/team-red/users/")
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "second_factor_required"
    assert "/me/2fa/" in error_of(answer)["message"]
    assert caller("GET", "me/").status_code == 200
    factors.add_app(world.cast.owner)
    assert caller("GET", "accounts/team-red/users/").status_code == 200


# Switching it on -------------------------------------------------------------------------------------


def test_an_owner_is_told_whom_it_shuts_out_before_it_does(cast: Cast) -> None:
    factors.add_app(cast.owner)
    client = just_signed_in(cast.client("owner"))
    question = client.get(SWITCH).text
    assert "2 people have none" in question
    assert cast.manager.email in question
    assert cast.viewer.email in question
    assert cast.owner.email not in question.partition("<main")[2]
    assert client.post(SWITCH, {"required": "yes"}).headers["Location"] == SETTINGS
    cast.account.refresh_from_db()
    assert cast.account.second_factor_required
    assert AuditEvent.objects.get().after == {"required": True}
    assert leads_to_set_up(cast.client("viewer").get("/a/team-red/images/"))
    assert "2 people have none" in client.get(SETTINGS).text
    client.post(SWITCH, {"required": "no"})
    assert cast.client("viewer").get("/a/team-red/images/").status_code == 200


def test_who_has_none_themselves_cannot(cast: Cast) -> None:
    client = just_signed_in(cast.client("owner"))
    client.post(SWITCH, {"required": "yes"})
    assert "Set up a second factor for yourself first" in client.get(SETTINGS).text
    cast.account.refresh_from_db()
    assert not cast.account.second_factor_required


def test_a_session_that_was_left_open_cannot_either(cast: Cast) -> None:
    factors.add_app(cast.owner)
    answer = cast.client("owner").post(SWITCH, {"required": "yes"})
    assert answer.headers["Location"].startswith("/me/reauthenticate/")
    cast.account.refresh_from_db()
    assert not cast.account.second_factor_required


@pytest.mark.parametrize("who", ["manager", "viewer"])
def test_nor_who_is_no_owner(cast: Cast, who: str) -> None:
    factors.add_app(getattr(cast, who))
    assert just_signed_in(cast.client(who)).post(SWITCH, {"required": "yes"}).status_code == 403


def test_the_api_of_an_account(world: World) -> None:
    cast, caller = world.cast, world.caller("owner")
    answer = caller("PATCH", "accounts/team-red/second-factor/", {"second_factor_required": True})
    assert answer.status_code == 400
    factors.add_app(cast.owner)
    answer = caller("PATCH", "accounts/team-red/second-factor/", {"second_factor_required": True})
    assert answer.json() == {
        "second_factor_required": True,
        "members_without": [cast.manager.email, cast.viewer.email],
    }
    factors.add_app(cast.viewer)
    assert world.caller("viewer")("GET", "accounts/team-red/second-factor/").json()["members_without"] == []
    forbidden = world.caller("viewer")(
        "PATCH", "accounts/team-red/second-factor/", {"second_factor_required": False}
    )
    assert forbidden.status_code == 403


def test_the_api_asks_a_session_to_confirm_first(cast: Cast) -> None:
    client = cast.client("owner")
    url = f"{API}accounts/team-red/second-factor/"
    answer = client.patch(url, {"second_factor_required": False}, content_type="application/json")
    assert error_of(answer)["code"] == "reauthentication_required"
    just_signed_in(client)
    assert (
        client.patch(url, {"second_factor_required": False}, content_type="application/json").status_code
        == 200
    )


# The installation ------------------------------------------------------------------------------------

OPEN = ["/me/2fa/", "/me/email/", "/me/sessions/", "/me/logout/", "/me/reauthenticate/", "/healthz"]
SHUT = [
    "/",
    "/?all=1",
    "/accounts/new/",
    "/me/tokens/",
    "/search/?q=a",
    "/a/team-red/images/",
    "/api/v1/docs/",
]


@pytest.mark.parametrize("rule", RequiredOf)
@pytest.mark.parametrize("who", ["owner", "operator"])
def test_who_is_let_where(cast: Cast, operator: Person, rule: RequiredOf, who: str) -> None:
    require_of(rule)
    person = operator if who == "operator" else cast.owner
    client = client_for(person)
    shut = rule is RequiredOf.EVERYBODY or (rule is RequiredOf.OPERATORS and who == "operator")
    for path in SHUT[:-1]:
        assert leads_to_set_up(client.get(path)) is shut, path
    for path in OPEN:
        assert not leads_to_set_up(client.get(path)), path
    assert (client.get(f"{API}me/").status_code == 403) is shut
    factors.add_app(person)
    for path in SHUT:
        assert not leads_to_set_up(client.get(path)), path
    assert client.get(f"{API}me/").status_code == 200


def test_nobody_is_asked_for_one_who_has_not_signed_in(cast: Cast) -> None:
    require_of(RequiredOf.EVERYBODY)
    assert Client().get("/me/login/").status_code == 200
    assert Client().get("/a/team-red/images/").headers["Location"].startswith("/me/login/")


def test_api_tokens_of_who_is_shut_out_are_denied(world: World) -> None:
    require_of(RequiredOf.EVERYBODY)
    answer = world.caller("owner")("GET", "me/")
    assert (answer.status_code, error_of(answer)["code"]) == (403, "second_factor_required")
    factors.add_app(world.cast.owner)
    assert world.caller("owner")("GET", "me/").status_code == 200


def test_an_operator_sees_whom_each_choice_shuts_out(cast: Cast, operator: Person) -> None:
    factors.add_app(operator)
    client = just_signed_in(client_for(operator))
    page = client.get(SYSTEM).text
    assert "Everybody affected already has one." in page
    assert "4 people have none" in page
    assert cast.owner.email in page
    assert client.post(SYSTEM, {"second_factor": "everybody"}).headers["Location"] == SYSTEM
    assert installation_rule() is RequiredOf.EVERYBODY
    assert AuditEvent.objects.get().before == {"required_of": "nobody"}
    client.post(SYSTEM, {"second_factor": "no such rule"})
    assert installation_rule() is RequiredOf.EVERYBODY


def test_an_operator_without_one_cannot_require_it(operator: Person) -> None:
    answer = just_signed_in(client_for(operator)).post(SYSTEM, {"second_factor": "operators"})
    assert answer.status_code == 400
    assert "yourself first" in answer.text
    assert installation_rule() is RequiredOf.NOBODY


def test_others_do_not_find_the_page(cast: Cast) -> None:
    assert just_signed_in(cast.client("owner")).post(SYSTEM, {"second_factor": "nobody"}).status_code == 404


def test_an_operator_who_left_the_session_open_is_asked_again(operator: Person) -> None:
    factors.add_app(operator)
    answer = client_for(operator).post(SYSTEM, {"second_factor": "everybody"})
    assert answer.headers["Location"].startswith("/me/reauthenticate/")
    assert installation_rule() is RequiredOf.NOBODY


def test_the_api_of_the_installation(cast: Cast, operator: Person) -> None:
    factors.add_app(operator)
    caller = Caller(token_of(operator))
    answer = caller("PATCH", "system/second-factor/", {"required_of": "everybody"})
    assert answer.json() == {"required_of": "everybody", "shut_out_count": 4}
    assert Caller(token_of(cast.owner))("GET", "system/second-factor/").status_code == 403
    caller("PATCH", "system/second-factor/", {"required_of": "nobody"})
    assert Caller(token_of(cast.owner))("GET", "system/second-factor/").status_code == 404


# The way back ----------------------------------------------------------------------------------------


def test_the_last_factor_stays_while_it_is_required(cast: Cast) -> None:
    close_to_who_has_none(cast)
    factors.add_app(cast.owner)
    client = just_signed_in(cast.client("owner"))
    answer = client.post("/me/2fa/totp/deactivate/")
    assert "Team Red requires a second factor" in answer.text
    assert Authenticator.objects.filter(user=cast.owner).exists()
    cast.account.second_factor_required = False
    cast.account.save()
    assert client.post("/me/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=cast.owner).exists()


def reset(email: str) -> str:
    output = io.StringIO()
    call_command("reset_second_factor", email, stdout=output)
    return output.getvalue()


def test_the_command_says_how_who_has_no_password_gets_in(operator: Person) -> None:
    """As after signing up at a provider that has gone: the only operator is not locked out."""
    factors.add_passkey_row(operator)
    operator.set_unusable_password()
    operator.save()
    said = reset(operator.email)
    assert f"no password either: manage.py changepassword {operator.email} sets one" in said
    assert "changepassword" in get_commands()


def test_the_command_lets_who_lost_all_of_them_in_again(
    cast: Cast, operator: Person, mailoutbox: list[EmailMessage]
) -> None:
    factors.add_app(operator)
    factors.add_recovery_codes(operator)
    factors.add_app(cast.owner)
    require_of(RequiredOf.OPERATORS)
    client = Client()
    client.post("/me/login/", {"login": operator.email, "password": rows.PASSWORD})
    client.post("/me/2fa/authenticate/", {"code": factors.code()})
    assert client.get("/system/").status_code == 200
    assert "removed 1 second factor " in reset(f" {operator.email.upper()} ")
    assert not Authenticator.objects.filter(user=operator).exists()
    assert Authenticator.objects.filter(user=cast.owner).exists()
    assert client.get("/system/").headers["Location"].startswith("/me/login/")
    assert [mailoutbox[-1].to, mailoutbox[-1].subject] == [
        [operator.email],
        "Your second factors were removed",
    ]
    assert "http://localhost:8000/me/2fa/" in mailoutbox[-1].body
    assert AuditEvent.objects.get(action="person.second_factors_reset").object == operator.email
    assert SecurityEvent.objects.filter(person=operator, kind="factors_reset").exists()
    client.post("/me/login/", {"login": operator.email, "password": rows.PASSWORD})
    assert leads_to_set_up(client.get("/system/"))
    assert client.get("/me/2fa/totp/activate/").status_code == 200


def test_nobody_of_that_name(db: None) -> None:
    with pytest.raises(CommandError, match="Nobody signs in with this address"):
        reset("nobody@example.com")
