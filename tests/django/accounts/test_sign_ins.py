"""Sign-ins of persons: what is kept of them, and whom a mail tells of a new place."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts import security_events, sign_ins
from accounts.common.client_ip import Origin
from accounts.models import Person, SecurityEvent
from accounts.security_events import Kind
from tests import factories
from tests.cast import Cast, client_for, just_signed_in
from tests.django.accounts.second_factors import factors

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
NEWER = FIREFOX.replace("128", "131")
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)
NEW = {"password1": "tall green ladder", "password2": "tall green ladder"}


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    sign_ins.failed.forget()


@pytest.fixture
def mail_server(settings: Any) -> None:
    """What EMAIL_URL changes here."""
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True


def sign_in(
    person: Person, *, address: str = "192.0.2.7", agent: str = FIREFOX, password: str = factories.PASSWORD
) -> Client:
    client = Client(REMOTE_ADDR=address, HTTP_USER_AGENT=agent)
    client.post("/me/login/", {"login": person.email, "password": password})
    return client


def kinds(person: Person) -> list[str]:
    return [each.kind for each in reversed(security_events.of_person(person.pk))]


def test_a_sign_in_says_how_from_where_and_with_what(cast: Cast) -> None:
    client = sign_in(cast.owner)
    client.post("/me/logout/")
    out, into = security_events.of_person(cast.owner.pk)
    assert (into.kind, into.address, into.client) == (Kind.SIGNED_IN, "192.0.2.7", "Firefox/128, Linux")
    assert into.detail == "with the password"
    assert out.kind == Kind.SIGNED_OUT
    assert kinds(cast.viewer) == []


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ([], ""),
        ([{"method": "password"}], "with the password"),
        ([{"method": "password"}, {"method": "mfa", "type": "totp"}], "with password and second factor"),
        ([{"method": "mfa", "type": "webauthn", "passwordless": True}], "with a passkey"),
        ([{"method": "password_reset"}], "by a password reset link"),
        ([{"method": "socialaccount", "provider": "sso"}], "by single sign-on"),
        ([{"method": "socialaccount"}, {"method": "mfa"}], "by single sign-on with a second factor"),
    ],
)
def test_how_somebody_signed_in(records: list[dict[str, object]], text: str) -> None:
    assert sign_ins.how(records) == text


def test_a_failed_sign_in_is_written_afterwards_and_only_for_who_exists(cast: Cast) -> None:
    for email in (cast.owner.email, cast.owner.email.upper(), "nobody@example.com"):
        person = Person(email=email)
        sign_in(person, password="wrong horse battery")
    assert not SecurityEvent.objects.exists()
    assert sign_ins.failed.write() == 2
    (event,) = SecurityEvent.objects.all()
    assert (event.person, event.kind, event.count) == (cast.owner, Kind.SIGN_IN_FAILED, 2)
    assert (event.address, event.actor) == ("192.0.2.7", "")


def test_one_network_floods_only_its_own_notes(cast: Cast) -> None:
    origin = Origin("192.0.2.9", "curl/8", timezone.now())
    sign_ins.failed.note(sign_ins.FailedSignIn(cast.owner.email, origin))
    for number in range(sign_ins.EACH + 5):
        other = Origin("192.0.2.1", "curl/8", timezone.now())
        sign_ins.failed.note(sign_ins.FailedSignIn(f"{number}@example.com", other))
    assert sign_ins.failed.write() == sign_ins.EACH + 1
    assert kinds(cast.owner) == [Kind.SIGN_IN_FAILED]


def test_a_new_password_and_addresses_are_noted(cast: Cast, mailoutbox: list[EmailMessage]) -> None:
    client = just_signed_in(client_for(cast.owner))
    client.post("/me/password/change/", NEW | {"oldpassword": factories.PASSWORD})
    just_signed_in(client)
    client.post("/me/email/", {"email": "second@example.com", "action_add": ""})
    client.post("/me/email/", {"email": "second@example.com", "action_primary": ""})
    client.post("/me/email/", {"email": "owner@example.com", "action_remove": ""})
    assert kinds(cast.owner) == [
        Kind.PASSWORD_CHANGED,
        Kind.EMAIL_ADDED,
        Kind.EMAIL_CHANGED,
        Kind.EMAIL_REMOVED,
    ]
    assert security_events.of_person(cast.owner.pk)[0].detail == "owner@example.com"


def test_a_reset_is_noted(cast: Cast, mailoutbox: list[EmailMessage]) -> None:
    client = Client()
    client.post("/me/password/reset/", {"email": cast.owner.email})
    link = re.search(r"/me/password/reset/key/\S+", str(mailoutbox[-1].body))
    assert link
    client.post(client.get(link[0]).headers["Location"], NEW)
    assert kinds(cast.owner) == [Kind.PASSWORD_RESET]


def test_the_first_sign_in_and_known_places_tell_nothing(
    cast: Cast, mail_server: None, mailoutbox: list[EmailMessage]
) -> None:
    for address, agent in (("192.0.2.7", FIREFOX), ("192.0.2.200", NEWER)):
        sign_in(cast.owner, address=address, agent=agent)
    assert mailoutbox == []
    assert not SecurityEvent.objects.filter(new_place=True).exists()


@pytest.mark.parametrize(
    ("address", "agent"),
    [("198.51.100.7", FIREFOX), ("192.0.2.7", SAFARI), ("2001:db8::7", FIREFOX)],
)
def test_a_new_place_is_told_in_the_persons_language(
    cast: Cast, mail_server: None, mailoutbox: list[EmailMessage], address: str, agent: str
) -> None:
    Person.objects.filter(pk=cast.owner.pk).update(language="fr")
    sign_in(cast.owner)
    sign_in(cast.owner, address=address, agent=agent)
    (mail,) = mailoutbox
    assert mail.to == [cast.owner.email]
    assert mail.subject == "Connexion depuis un nouvel endroit"
    assert address in mail.body
    assert re.search(r"Heure\xa0: \d+ \w+\.? \d{4}, \d\d:\d\d \(UTC\)", str(mail.body))
    assert "/me/sessions/" in mail.body
    assert ("Safari sur iOS" if agent == SAFARI else "Firefox sur Linux") in mail.body
    assert security_events.of_person(cast.owner.pk)[0].new_place
    sign_in(cast.owner, address=address, agent=agent)  # known by now
    assert len(mailoutbox) == 1


def test_a_place_of_long_ago_is_new_again(
    cast: Cast, mail_server: None, mailoutbox: list[EmailMessage]
) -> None:
    sign_in(cast.owner)
    SecurityEvent.objects.update(at=timezone.now() - sign_ins.KNOWN_FOR - timedelta(days=1))
    sign_in(cast.owner)
    assert len(mailoutbox) == 1


def test_no_more_than_a_few_mails_a_day(
    cast: Cast, mail_server: None, mailoutbox: list[EmailMessage]
) -> None:
    sign_in(cast.owner)
    for number in range(sign_ins.MAILS_A_DAY + 2):
        sign_in(cast.owner, address=f"198.51.{number}.7")
    assert len(mailoutbox) == sign_ins.MAILS_A_DAY
    SecurityEvent.objects.update(at=timezone.now() - timedelta(days=2))
    sign_in(cast.owner, address="203.0.113.7")
    assert len(mailoutbox) == sign_ins.MAILS_A_DAY + 1


def test_without_a_mail_server_nothing_is_written_for_it(cast: Cast, mailoutbox: list[EmailMessage]) -> None:
    sign_in(cast.owner)
    sign_in(cast.owner, address="198.51.100.7")
    assert mailoutbox == []
    assert security_events.of_person(cast.owner.pk)[0].new_place


def test_second_factors_are_noted_when_they_come_and_go(
    cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    """By the real pages, which report it after the commit."""
    client = sign_in(cast.owner)

    def post(path: str, **form: str) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            client.post(f"/me/2fa/{path}", form)

    secret = re.findall(r'id="totp-key">(\w+)<', client.get("/me/2fa/totp/activate/").text)[0]
    post("totp/activate/", code=factors.code(secret))
    assert set(kinds(cast.owner)[1:]) == {Kind.FACTOR_ADDED, Kind.RECOVERY_CODES_CREATED}
    post("recovery-codes/generate/")
    post("totp/deactivate/")
    assert kinds(cast.owner)[3:] == [Kind.RECOVERY_CODES_CREATED, Kind.FACTOR_REMOVED]
    assert security_events.of_person(cast.owner.pk)[0].detail == "authenticator app"


def test_a_code_that_was_wrong_and_a_recovery_code_are_noted(cast: Cast) -> None:
    factors.add_app(cast.owner)
    code = factors.add_recovery_codes(cast.owner)[0]
    client = sign_in(cast.owner)
    for given in (factors.wrong_code(), code):
        client.post("/me/2fa/authenticate/", {"code": given})
    assert kinds(cast.owner) == [Kind.SIGN_IN_FAILED, Kind.RECOVERY_CODE_USED, Kind.SIGNED_IN]
    into, _used, failed = security_events.of_person(cast.owner.pk)
    assert into.detail == "with password and second factor"
    assert (failed.detail, failed.address) == ("wrong second factor", "192.0.2.7")
