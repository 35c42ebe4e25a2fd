"""GET /bootstrap/<token>/ and GET, POST /bootstrap/"""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import credentials
from accounts.models import AuditEvent, OperatorLink, Person
from accounts.peppers import peppers
from accounts.services import people
from manager.standalone.run import _say_ready
from tests import factories
from tests.cast import Cast

FORM = {"email": "first@example.com", "password1": "tall green ladder", "password2": "tall green ladder"}


@pytest.fixture
def link(db: None) -> str:
    return f"/bootstrap/{people.make_operator_link()}/"


def is_operator(person: Person) -> bool:
    person.refresh_from_db()
    return person.is_staff


def become(client: Client, link: str) -> int:
    client.get(link)
    return client.post("/bootstrap/").status_code


def test_the_link_leads_to_a_page_without_it(cast: Cast, link: str) -> None:
    client = cast.client("stranger")
    answer = client.get(link)
    assert (answer.status_code, answer["Location"], answer["Referrer-Policy"]) == (
        302,
        "/bootstrap/",
        "no-referrer",
    )
    assert link.split("/")[2] not in str(dict(client.session))
    assert client.get("/bootstrap/").status_code == 200


@pytest.mark.parametrize("method", ["get", "head", "post", "put"])
def test_looking_changes_nothing(cast: Cast, link: str, method: str) -> None:
    client = cast.client("stranger")
    getattr(client, method)(link)
    assert not is_operator(cast.stranger)
    assert become(client, link) == 302


def test_the_button_makes_an_operator_once(cast: Cast, link: str) -> None:
    late = cast.client("viewer")
    late.get(link)
    assert become(cast.client("stranger"), link) == 302
    assert is_operator(cast.stranger)
    for answer in (late.post("/bootstrap/"), late.get(link)):
        assert answer.status_code == 404
        assert "This link does not work" in answer.content.decode()
    assert not is_operator(cast.viewer)


def test_a_used_link_is_void_for_ever(cast: Cast, link: str) -> None:
    """Whatever becomes of the operator, and however often the set is started again."""
    late = cast.client("viewer")
    late.get(link)
    become(cast.client("stranger"), link)
    Person.objects.filter(pk=cast.stranger.pk).update(is_active=False)
    assert not people.operator_exists()
    assert late.post("/bootstrap/").status_code == 404
    assert become(cast.client("viewer"), link) == 404
    Person.objects.filter(pk=cast.stranger.pk).update(is_staff=False)
    assert become(cast.client("viewer"), link) == 404
    assert people.operator_existed()  # so that `make run` makes no new one by itself


def test_an_unused_link_is_void_once_there_is_an_operator(cast: Cast, link: str) -> None:
    people.make_operator(email=cast.owner.email)
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)
    assert become(cast.client("viewer"), link) == 404
    assert not is_operator(cast.viewer)


def test_it_rests_while_there_is_an_operator(operator: Person, cast: Cast) -> None:
    text = credentials.make(credentials.LINK_PREFIX)
    OperatorLink.objects.create(digest=credentials.digests(text, peppers())[0])
    assert become(cast.client("viewer"), f"/bootstrap/{text}/") == 404
    assert not is_operator(cast.viewer)


def test_a_new_link_is_asked_for_on_the_machine_and_replaces_the_old(
    cast: Cast, link: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_operator_link")
    new = capsys.readouterr().out.strip().partition("/bootstrap/")[2]
    assert become(cast.client("viewer"), link) == 404
    assert become(cast.client("stranger"), f"/bootstrap/{new}") == 302
    with pytest.raises(CommandError, match="operator already"):
        call_command("create_operator_link")
    Person.objects.filter(pk=cast.stranger.pk).update(is_active=False)
    call_command("create_operator_link")
    assert "/bootstrap/rml_" in capsys.readouterr().out
    assert AuditEvent.objects.filter(action="person.operator_link_made", actor="system").count() == 3


def test_make_run_prints_a_link_until_there_was_an_operator_once(cast: Cast) -> None:
    def said() -> str:
        lines: list[str] = []
        _say_ready(lines.append)
        return "\n".join(lines[1:])

    first = said().partition("first operator: ")[2]
    again = said().partition("first operator: ")[2]
    assert "/bootstrap/rml_" in first
    assert (
        become(cast.client("viewer"), "/bootstrap/" + first.rpartition("/bootstrap/")[2]) == 404
    )  # the next one replaced it
    assert become(cast.client("stranger"), "/bootstrap/" + again.rpartition("/bootstrap/")[2]) == 302
    assert said() == ""
    Person.objects.filter(pk=cast.stranger.pk).update(is_active=False)
    assert said() == "no operator: manage.py create_operator_link prints a link that makes one"
    Person.objects.filter(pk=cast.stranger.pk).update(is_staff=False)
    assert said() == "no operator: manage.py create_operator_link prints a link that makes one"


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_from_the_link_through_sign_up_though_it_is_not_open(link: str, settings: object, mode: str) -> None:
    settings.SIGNUP = mode  # type: ignore[attr-defined]
    client = Client()
    assert '/me/signup/?next=/bootstrap/"' in client.get(link, follow=True).content.decode().replace(
        "%2F", "/"
    )
    assert client.post("/me/signup/", FORM | {"next": "/bootstrap/"}).url == "/bootstrap/"
    client.post("/bootstrap/")
    assert is_operator(Person.objects.get(email="first@example.com"))


def test_who_signed_up_by_it_has_it_alone(link: str, settings: object) -> None:
    settings.SIGNUP = "closed"  # type: ignore[attr-defined]
    client, other = Client(), Client()
    other.get(link)
    client.get(link)
    client.post("/me/signup/", FORM)
    other.post("/me/signup/", FORM | {"email": "second@example.com"})
    assert list(Person.objects.values_list("email", flat=True)) == ["first@example.com"]
    other.force_login(factories.PersonFactory())
    assert become(other, link) == 404
    elsewhere = Client()
    elsewhere.force_login(Person.objects.get(email="first@example.com"))
    assert become(elsewhere, link) == 302


def test_signed_out_one_becomes_nothing(link: str) -> None:
    assert become(Client(), link) == 200
    assert not Person.objects.filter(is_staff=True).exists()


@pytest.mark.parametrize("text", ["nonsense", "rml_" + "x" * 38, "None"])
def test_a_wrong_link_says_so(cast: Cast, link: str, text: str) -> None:
    assert become(cast.client("stranger"), f"/bootstrap/{text}/") == 404
    assert not is_operator(cast.stranger)
