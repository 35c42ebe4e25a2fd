"""Host and X-Forwarded-Host are words of the one who asks: nothing that is sent or shown to others is made of them."""

import json
import re

import jwt
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import Person
from manager.standalone.data_dir import init_data_dir
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.tokens.test_issuer import ask

SIGN_UP = {"email": "new@example.com", "password1": "tall green ladder", "password2": "tall green ladder"}
# A host that is ours and a port that is not; a proxy's header that nobody asked for.
ALLOWED_BUT_CHOSEN = [
    {"Host": "localhost:6666"},
    {"Host": "127.0.0.1:6666"},
    {"Host": "localhost", "X-Forwarded-Host": "evil.example"},
    {"Host": "localhost", "X-Forwarded-Port": "6666", "X-Forwarded-Server": "evil.example"},
    {"Host": "localhost", "Forwarded": "host=evil.example"},
]


@pytest.fixture
def person(db: None) -> Person:
    person = factories.PersonFactory(email="known@example.com")
    EmailAddress.objects.create(user=person, email=person.email, primary=True)
    return person


def links(mail: EmailMessage) -> list[str]:
    return re.findall(r"\w+://\S+", str(mail.body))


def only_ours(mail: EmailMessage) -> bool:
    """There are links, and every one of them leads to the configured address."""
    found = links(mail)
    return bool(found) and all(link.startswith(f"{settings.PUBLIC_URL}/") for link in found)


@pytest.mark.parametrize("headers", ALLOWED_BUT_CHOSEN)
@pytest.mark.parametrize("email", ["known@example.com", "unknown@example.com"])
def test_a_reset_mail_leads_to_the_configured_address(
    person: Person, mailoutbox: list[EmailMessage], headers: dict[str, str], email: str
) -> None:
    Client().post("/me/password/reset/", {"email": email}, headers=headers)
    (mail,) = mailoutbox
    assert only_ours(mail)
    assert not re.search(r"evil\.example|:6666", f"{mail.subject} {mail.body} {mail.from_email}")


@pytest.mark.parametrize("headers", ALLOWED_BUT_CHOSEN)
def test_a_confirmation_mail_leads_to_the_configured_address(
    db: None, mailoutbox: list[EmailMessage], headers: dict[str, str]
) -> None:
    Client().post("/me/signup/", SIGN_UP, headers=headers)
    (mail,) = mailoutbox
    assert only_ours(mail)


def test_the_link_of_a_reset_mail_works_once(person: Person, mailoutbox: list[EmailMessage]) -> None:
    """The legitimate road, for a browser that came by the panel's other name."""
    client = Client(headers={"Host": "127.0.0.1:8000"})
    client.post("/me/password/reset/", {"email": person.email})
    (link,) = (each for each in links(mailoutbox[0]) if "/key/" in each)
    path = link.removeprefix(settings.PUBLIC_URL)
    form = client.get(path).headers["Location"]  # the key goes into the session, out of the address
    new = {"password1": "tall green ladder", "password2": "tall green ladder"}
    assert client.post(form, new).status_code == 302
    person.refresh_from_db()
    assert person.check_password("tall green ladder")
    assert Client().get(path).context["token_fail"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8000",
        "localhost@evil.example",
        "localhost/evil",
        "localhost evil",
        "localhost:80:80",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/me/login/", "/me/password/reset/"])
def test_a_host_that_is_not_ours_is_refused(
    person: Person, mailoutbox: list[EmailMessage], host: str, path: str
) -> None:
    assert Client().get(path, headers={"Host": host}).status_code == 400
    assert Client().post(path, {"email": person.email}, headers={"Host": host}).status_code == 400
    assert not mailoutbox
    assert Client().get(path, headers={"Host": "localhost"}).status_code == 200


@pytest.mark.parametrize("headers", ALLOWED_BUT_CHOSEN)
def test_an_invitation_leads_to_the_configured_address(cast: Cast, headers: dict[str, str]) -> None:
    answer = cast.client("owner").post(
        "/a/team-red/settings/invitations/", {"role": "viewer", "once": "a mark"}, headers=headers
    )
    assert answer.context["link"].startswith(f"{settings.PUBLIC_URL}/invite/rml_")
    assert ":6666" not in answer.content.decode()
    assert "evil.example" not in answer.content.decode()


@pytest.mark.parametrize("headers", ALLOWED_BUT_CHOSEN)
def test_an_invitation_of_the_api_leads_to_the_configured_address(
    cast: Cast, headers: dict[str, str]
) -> None:
    client = cast.client("owner")
    answer = client.post(
        "/api/v1/accounts/team-red/invitations/",
        json.dumps({"role": "viewer"}),
        content_type="application/json",
        headers=headers,
    )
    assert answer.status_code == 201
    assert f"{settings.PUBLIC_URL}/invite/rml_" in answer.content.decode()


@pytest.mark.django_db
def test_a_token_says_the_configured_issuer_and_service_whatever_host_was_asked() -> None:
    status, body = ask(
        None, "repository:team/app:pull", HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example"
    )
    assert status == 200
    claims = jwt.decode(body.pop("token"), options={"verify_signature": False})
    assert claims["iss"] == settings.TOKEN_ISSUER
    assert "evil" not in json.dumps([body, claims])


@pytest.mark.django_db
def test_the_challenge_names_no_host() -> None:
    """The realm that clients follow is the registry's, and stands in its configuration."""
    realm = json.loads(init_data_dir().read_text())["auth"]["token"]["realm"]
    assert realm == settings.TOKEN_URL


def test_another_port_gives_a_guesser_no_new_attempts(person: Person) -> None:
    def guess(port: int) -> str:
        form = {"login": person.email, "password": "wrong"}
        return Client().post("/me/login/", form, headers={"Host": f"localhost:{port}"}).content.decode()

    answers = [guess(port) for port in range(7001, 7007)]
    assert "The email address or the password is wrong." in answers[0]
    assert "Too many failed login attempts" in answers[-1]
