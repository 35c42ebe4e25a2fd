"""GET, POST /me/tokens/ and POST /me/tokens/<id>/revoke/"""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts import api_token_uses
from accounts.common.client_ip import Origin
from accounts.models import ApiToken, AuditEvent, Member, Person
from accounts.services import api_tokens
from tests import factories
from tests.cast import Cast, client_for, just_signed_in
from tests.django.api.caller import Caller, token_of

URL = "/me/tokens/"


@pytest.fixture(autouse=True)
def _no_uses_noted() -> None:
    api_token_uses.uses.forget()


FORM = {"name": "Backup", "scope": "read", "account": "*", "expiry": "30", "expires_on": "", "once": "a mark"}


@pytest.mark.parametrize("who", ["owner", "viewer", "stranger"])
def test_a_person_creates_one_and_sees_it_once(cast: Cast, who: str) -> None:
    client = cast.client(who)
    answer = client.post(URL, FORM)
    text = answer.context["text_of_token"]
    assert "no-store" in answer["Cache-Control"]
    assert text in answer.content.decode()
    assert text not in answer.context["command"]
    found = api_tokens.find(text=text, now=timezone.now())
    assert found is not None
    assert found.person == getattr(cast, who)
    page = client.get(URL).content.decode()
    assert "Backup" in page
    assert text not in page


@pytest.mark.parametrize("expiry", [{"expiry": "never"}, {"expiry": "date", "expires_on": "9998-12-31"}])
def test_one_that_outlives_a_year_asks_for_the_password(cast: Cast, expiry: dict[str, str]) -> None:
    client = cast.client("owner")
    form = FORM | expiry | {"once": client.get(URL).context["once"]}
    asked = client.post(URL, form)
    assert (asked.status_code, asked.headers["Location"]) == (
        302,
        "/me/reauthenticate/?next=%2Fme%2Ftokens%2F",
    )
    wrong = client.post(asked.headers["Location"], {"password": "wrong horse battery"})
    assert wrong.status_code == 200
    client.get(URL)
    assert not ApiToken.objects.exists()
    again = client.post(URL, form).headers["Location"]
    made = client.post(again, {"password": factories.PASSWORD, "next": URL})
    assert made.status_code == 200
    found = api_tokens.find(text=made.context["text_of_token"], now=timezone.now())
    assert found
    assert found.expires_at is None or found.expires_at.year == 9999
    client.post(URL, form)  # sent again
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("expires_at", [None, "9998-12-31T00:00:00Z"])
def test_the_api_makes_none_of_those(cast: Cast, expires_at: str | None) -> None:
    client = cast.client("owner")
    client.post("/me/reauthenticate/", {"password": factories.PASSWORD})
    body = {"name": "CI", "expires_at": expires_at}
    answer = client.post("/api/v1/me/tokens/", body, content_type="application/json")
    assert answer.status_code == 400
    assert "asks for your password" in str(answer.json())
    assert not ApiToken.objects.exists()
    soon = {"name": "CI", "expires_at": (timezone.now() + timedelta(days=365)).isoformat()}
    assert client.post("/api/v1/me/tokens/", soon, content_type="application/json").status_code == 201


NEW = {"password1": "tall green ladder", "password2": "tall green ladder"}


def _change(person: Person, _mails: list[EmailMessage]) -> tuple[Client, str, dict[str, str]]:
    return client_for(person), "/me/password/change/", NEW | {"oldpassword": factories.PASSWORD}


def _set(person: Person, _mails: list[EmailMessage]) -> tuple[Client, str, dict[str, str]]:
    person.set_unusable_password()
    person.save()
    return just_signed_in(client_for(person)), "/me/password/set/", NEW


def _reset(person: Person, mails: list[EmailMessage]) -> tuple[Client, str, dict[str, str]]:
    client = Client()
    client.post("/me/password/reset/", {"email": person.email})
    link = "/me/password/reset/key/" + str(mails[-1].body).partition("/key/")[2].split()[0]
    return client, client.get(link).headers["Location"], NEW


@pytest.mark.parametrize("way", [_change, _set, _reset])
@pytest.mark.parametrize("end", [True, False])
def test_a_new_password_offers_to_end_them(
    cast: Cast,
    mailoutbox: list[EmailMessage],
    way: Callable[..., tuple[Client, str, dict[str, str]]],
    end: bool,
) -> None:
    for name in ("Backup", "<b>CI"):
        api_tokens.create(by=cast.by("owner"), name=name, expires_at=None, confirmed=True)
    _others, kept = api_tokens.create(by=cast.by("manager"), name="Mine", expires_at=None, confirmed=True)
    client, path, form = way(cast.owner, mailoutbox)
    page = client.get(path).content.decode()
    assert "Revoke your 2 API tokens as well" in page
    assert "&lt;b&gt;CI, Backup" in page
    assert "Mine" not in page
    assert client.post(path, form | ({"end_tokens": "on"} if end else {})).status_code == 302
    assert cast.owner.api_tokens.count() == (0 if end else 2)
    assert AuditEvent.objects.filter(action="api_token.revoked").count() == (2 if end else 0)
    assert api_tokens.find(text=kept, now=timezone.now())


@pytest.mark.parametrize("way", [_change, _set, _reset])
def test_who_has_none_is_offered_nothing(
    cast: Cast, mailoutbox: list[EmailMessage], way: Callable[..., tuple[Client, str, dict[str, str]]]
) -> None:
    token, _text = api_tokens.create(by=cast.by("owner"), name="Old", expires_at=None, confirmed=True)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    client, path, _form = way(cast.owner, mailoutbox)
    assert "API token" not in client.get(path).content.decode().partition("<main")[2].partition("</main")[0]


def test_sending_the_form_again_creates_nothing(cast: Cast) -> None:
    client = cast.client("owner")
    once = client.get(URL).context["once"]
    for _ in range(2):
        client.post(URL, FORM | {"once": once})
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"expiry": "date"}, "expires_on"),
        ({"expiry": "date", "expires_on": "2001-01-01"}, "expires_on"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(cast: Cast, change: dict[str, str], field: str) -> None:
    answer = cast.client("owner").post(URL, FORM | change)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert not ApiToken.objects.exists()


def test_nobody_sees_the_tokens_of_others(cast: Cast) -> None:
    api_tokens.create(by=cast.by("owner"), name="Private", expires_at=None, confirmed=True)
    assert "Private" not in cast.client("manager").get(URL).content.decode()


def test_its_owner_revokes(cast: Cast) -> None:
    token, text = api_tokens.create(by=cast.by("owner"), name="Old", expires_at=None, confirmed=True)
    assert cast.client("owner").post(f"{URL}{token.pk}/revoke/").url == URL
    assert api_tokens.find(text=text, now=timezone.now()) is None
    assert AuditEvent.objects.filter(action="api_token.revoked").count() == 1


@pytest.mark.parametrize("who", ["manager", "stranger", "anonymous"])
def test_the_others_revoke_nothing(cast: Cast, who: str) -> None:
    token, _text = api_tokens.create(by=cast.by("owner"), name="Mine", expires_at=None, confirmed=True)
    assert cast.client(who).post(f"{URL}{token.pk}/revoke/").status_code in (302, 404)
    assert ApiToken.objects.exists()


def test_looking_revokes_nothing(cast: Cast) -> None:
    token, _text = api_tokens.create(by=cast.by("owner"), name="Mine", expires_at=None, confirmed=True)
    assert cast.client("owner").get(f"{URL}{token.pk}/revoke/").status_code == 200
    assert ApiToken.objects.exists()


def test_anonymous_must_sign_in(db: None, client: object) -> None:
    assert client.get(URL).status_code == 302  # type: ignore[attr-defined]


CONFIRMED = [{"scope": "manage"}, {"scope": "manage", "account": "team-red"}]


@pytest.mark.parametrize("wanted", CONFIRMED)
def test_one_that_may_change_something_asks_for_the_password(cast: Cast, wanted: dict[str, str]) -> None:
    client = cast.client("owner")
    form = FORM | wanted | {"once": client.get(URL).context["once"]}
    asked = client.post(URL, form)
    assert asked.status_code == 302
    assert not ApiToken.objects.exists()
    made = client.post(asked.headers["Location"], {"password": factories.PASSWORD, "next": URL})
    assert made.status_code == 200
    token = ApiToken.objects.get()
    assert token.scope == "manage"
    assert token.account == (cast.account if "account" in wanted else None)


def test_of_one_account_of_mine_and_of_no_other(cast: Cast) -> None:
    assert cast.client("owner").post(URL, FORM | {"account": "elsewhere"}).status_code == 400
    assert not ApiToken.objects.exists()
    assert cast.client("owner").post(URL, FORM | {"account": "team-red"}).status_code == 200
    assert ApiToken.objects.get().account == cast.account


def test_only_an_operator_makes_one_that_acts_as_operator_and_asks_for_it(
    cast: Cast, operator: Person
) -> None:
    wish = {"as_operator": "on"}
    assert "as_operator" not in cast.client("owner").get(URL).context["form"].fields
    assert cast.client("owner").post(URL, FORM | wish).status_code == 200
    assert not ApiToken.objects.get().as_operator
    client = client_for(operator)
    client.post("/me/reauthenticate/", {"password": factories.PASSWORD})
    for more in ({}, wish):
        assert client.post(URL, FORM | more | {"once": client.get(URL).context["once"]}).status_code == 200
    assert [each.as_operator for each in operator.api_tokens.order_by("pk")] == [False, True]
    assert "acts as operator" in client.get(URL).text
    Person.objects.filter(pk=operator.pk).update(is_staff=False)
    assert "which you are no longer" in client.get(URL).text


def test_one_that_acts_as_operator_is_of_no_account_alone(cast: Cast) -> None:
    Person.objects.filter(pk=cast.owner.pk).update(is_staff=True)
    client = cast.client("owner")
    client.post("/me/reauthenticate/", {"password": factories.PASSWORD})
    answer = client.post(URL, FORM | {"as_operator": "on", "account": "team-red"})
    assert list(answer.context["form"].errors) == ["as_operator"]
    assert not ApiToken.objects.exists()


def test_the_list_says_what_each_may_and_where_it_was_used(cast: Cast) -> None:
    caller = Caller(token_of(cast.owner, account=cast.account, scope="read"))
    ApiToken.objects.update(last_used_at=None)
    client = cast.client("owner")
    assert "never used" in client.get(URL).text
    caller("GET", "me/", REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="curl/8.14.1")
    assert "never used" in client.get(URL).text  # a call that reads writes nothing
    assert api_token_uses.uses.write() == 1
    page = client.get(URL).text
    assert "192.0.2.7, curl/8.14.1" in " ".join(page.split())
    assert "only Team Red" in page
    Member.objects.filter(account=cast.account, person=cast.owner).delete()
    assert "you left it" in client.get(URL).text


def test_a_use_is_written_once_a_minute_at_most(cast: Cast) -> None:
    caller = Caller(token_of(cast.owner))
    now = timezone.now()
    for ago, written in ((timedelta(seconds=50), False), (timedelta(seconds=70), True)):
        ApiToken.objects.update(last_used_at=now - ago)
        caller.get("me/")
        api_token_uses.uses.write()
        assert (ApiToken.objects.get().last_used_at != now - ago) is written


def test_an_older_use_overwrites_no_newer(cast: Cast) -> None:
    token_of(cast.owner)
    token, now = ApiToken.objects.get(), timezone.now()
    stale = ApiToken(pk=token.pk, person_id=token.person_id)
    api_token_uses.note(stale, Origin("192.0.2.9", "curl/8", now - timedelta(seconds=5)))
    api_token_uses.uses.write()
    assert ApiToken.objects.get().last_used_from == ""


def test_tokens_from_before_keep_what_they_could(cast: Cast, operator: Person) -> None:
    token_of(cast.owner), token_of(operator, as_operator=False)
    import_module("accounts.migrations.0011_api_token_scope").keep_operators(apps, None)
    kept = {each.person: (each.scope, each.account, each.as_operator) for each in ApiToken.objects.all()}
    assert kept == {cast.owner: ("manage", None, False), operator: ("manage", None, True)}
