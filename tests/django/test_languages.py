"""The language of a page, a mail and an answer of the API: who chooses it, and what stays English."""

import re
from datetime import UTC, date, datetime

import pytest
from django.conf import settings
from django.contrib.auth import get_user
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import translation
from django.utils.html import strip_tags

from accounts.common.lazy_text import LazyText, lazy, verbatim
from accounts.common.translation import translate
from accounts.models import AuditEvent, Denial, Person
from accounts.services import people
from namespaces.access import AccessContext, Action, UserStatus, decide
from namespaces.services import grants
from registry_sync.deletion.outcomes import undecided
from registry_sync.doctor.result import lasted
from registry_sync.models import SyncRun
from registry_sync.tokens.wsgi import respond
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import error_of
from tests.django.api.world import caller_of

FRENCH = {"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}
PASSWORD = "long-enough-9"


def language_of(page: str) -> str:
    found = re.search(r'<html lang="([\w-]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9", "fr"),
        ("en-GB", "en"),
        ("de,fr;q=0.5", "fr"),
        ("de", "en"),
        ("", "en"),
        ("*", "en"),
        (";q=x,,\x00", "en"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_asks_for(db: None, asked: str, shown: str) -> None:
    answer = Client().get("/me/login/", headers={"Accept-Language": asked})
    page = answer.content.decode()
    assert language_of(page) == answer["Content-Language"] == shown
    assert "Accept-Language" in answer["Vary"]
    assert ("Se connecter" in page) is (shown == "fr")
    assert ("Sign in" in page) is (shown == "en")


def test_a_page_of_trouble_is_in_that_language_too(cast: Cast) -> None:
    for who in ("owner", "anonymous"):
        assert "Il n’y a rien ici" in cast.client(who).get("/none/", headers=FRENCH).content.decode()
    forged = Client(enforce_csrf_checks=True).post("/me/login/", headers=FRENCH).content.decode()
    assert "Ce formulaire a expiré" in forged
    assert language_of(forged) == "fr"


def test_a_part_of_a_page_is_in_the_language_of_the_page(cast: Cast) -> None:
    headers = {"HX-Request": "true", "HX-Target": "users", **FRENCH}
    part = cast.client("owner").get("/a/team-red/users/?q=none", headers=headers).content.decode()
    assert "Rien ne correspond à" in part
    assert "<html" not in part


def test_no_language_is_left_for_the_next_request(db: None) -> None:
    before = translation.get_language()
    Client().get("/me/login/", headers=FRENCH)
    assert translation.get_language() == before


def choose(client: Client, language: str) -> None:
    answer = client.post(
        "/me/language/", {"language": language}, headers={"Referer": f"{settings.PUBLIC_URL}/me/login/?next=/x/"}
    )  # fmt: skip
    assert answer.url == f"{settings.PUBLIC_URL}/me/login/?next=/x/"


def test_who_is_not_signed_in_chooses_for_the_browser(db: None) -> None:
    client = Client()
    page = client.get("/me/login/").content.decode()
    assert re.search(r'name="language" value="fr"\s+lang="fr">Français<', page)
    choose(client, "fr")
    page = client.get("/me/login/", headers={"Accept-Language": "en"}).content.decode()
    assert language_of(page) == "fr"
    assert re.search(r'name="language" value="en"\s+lang="en">English<', page)
    choose(client, "en")
    assert language_of(client.get("/me/login/", headers=FRENCH).content.decode()) == "en"
    assert Person.objects.count() == 0


def test_who_is_signed_in_chooses_for_every_browser_they_sign_in_with(cast: Cast) -> None:
    cast.owner.set_password(PASSWORD)
    cast.owner.save()
    choose(cast.client("owner"), "fr")
    cast.owner.refresh_from_db()
    assert cast.owner.language == "fr"
    assert not Person.objects.exclude(pk=cast.owner.pk).exclude(language="").exists()
    another = Client()
    assert language_of(another.get("/me/login/").content.decode()) == "en"
    another.post("/me/login/", {"login": cast.owner.email, "password": PASSWORD})
    assert get_user(another) == cast.owner  # type: ignore[arg-type]
    assert language_of(another.get("/?all=1").content.decode()) == "fr"


def test_signing_in_leaves_a_browser_as_it_is_when_nothing_was_chosen(cast: Cast) -> None:
    cast.viewer.set_password(PASSWORD)
    cast.viewer.save()
    client = Client(headers=FRENCH)
    client.post("/me/login/", {"login": cast.viewer.email, "password": PASSWORD})
    assert "language" not in client.cookies
    assert language_of(client.get("/?all=1").content.decode()) == "fr"


@pytest.mark.parametrize("language", ["de", "", "fr\n", "../en", "fr-CA", "FR"])
def test_what_is_no_language_of_ours_changes_nothing(cast: Cast, language: str) -> None:
    client = cast.client("owner")
    choose(client, language)
    assert "language" not in client.cookies
    client.cookies.load({"language": language})
    assert language_of(client.get("/?all=1").content.decode()) == "en"
    assert Person.objects.exclude(language="").count() == 0


def test_the_choice_leads_nowhere_else_and_only_a_form_makes_it(cast: Cast) -> None:
    client = cast.client("owner")
    refused = f"{settings.PUBLIC_URL}/me/language/"  # answers forms alone
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", refused):
        assert client.post("/me/language/", {"language": "fr"}, headers={"Referer": elsewhere}).url == "/"
    assert client.get("/me/language/?language=en").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/me/language/", {"language": "en"}).status_code == 403
    cast.owner.refresh_from_db()
    assert cast.owner.language == "fr"


@pytest.mark.parametrize(("chosen", "asked", "subject"), [
    ("fr", "en", "mot de passe"), ("en", "fr", "Reset your password"), ("", "fr", "mot de passe"),
    ("", "en", "Reset your password"),
])  # fmt: skip
def test_a_mail_is_in_the_language_of_who_gets_it(
    cast: Cast, mailoutbox: list[EmailMessage], chosen: str, asked: str, subject: str
) -> None:
    """Whoever asks for it: anybody may ask for the link that resets a password."""
    people.choose_language(by=cast.by("owner"), language=chosen)
    Client().post("/me/password/reset/", {"email": "Owner@example.com"}, headers={"Accept-Language": asked})
    assert subject in mailoutbox[0].subject


def test_the_api_speaks_english_unless_it_is_asked_for_another_language(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    path = "accounts/team-red/namespaces/"
    english = caller.post(path, {"name": "UPPER"})
    caller.headers |= FRENCH
    french = caller.post(path, {"name": "UPPER"})
    assert "Use lower case" in english.content.decode()
    assert "Utilisez des minuscules" in error_of(french)["fields"]["name"][0]
    assert error_of(caller.get("accounts/none/"))["message"] == "Introuvable."
    assert (english["Content-Language"], french["Content-Language"]) == ("en", "fr")
    assert error_of(english)["code"] == error_of(french)["code"]
    people.choose_language(by=cast.by("owner"), language="fr")
    session = cast.client("owner")
    session.cookies.load({"language": "fr"})
    answer = session.get("/api/v1/accounts/none/")
    assert answer["Content-Language"] == "en"


@pytest.mark.parametrize("query", ["", "service=x", "service=x&scope=repository:team/app:pull"])
def test_what_clients_print_is_english(db: None, query: str) -> None:
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "HTTP_ACCEPT_LANGUAGE": "fr"}
    now = datetime.now(UTC)
    with translation.override("fr"):
        answer = respond(environ, now=now)
    assert answer[0] >= 400
    assert answer == respond(environ, now=now)


def test_a_denial_is_stored_in_english_and_shown_in_french(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    with translation.override("fr"):
        verdict = decide(AccessContext(UserStatus.EXPIRED), Action.PULL)
        Denial.objects.create(user=user, repository="", action="pull", reason=verdict.reason, remedy=verdict.remedy,
                              first_at=user.created_at, last_at=user.created_at, client="")  # fmt: skip
    assert Denial.objects.get().reason == "the user has expired"
    page = cast.client("owner").get(user.get_absolute_url(), headers=FRENCH).content.decode()
    assert "l’utilisateur a expiré" in page
    assert "the user has expired" not in page


@pytest.mark.parametrize(("number", "written"), [(0, "0 tag"), (1, "1 tag"), (2, "2 tags")])
def test_french_counts_none_as_one(number: int, written: str) -> None:
    with translation.override("fr"):
        assert translation.ngettext("%(n)s tag", "%(n)s tags", number) % {"n": number} == written


def test_the_audit_log_keeps_english_and_shows_french(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="Push on merge")
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    with translation.override("fr"):
        grants.give(by=cast.by("owner"), user=user, namespace=namespace, image_name="", level="write")
    stored = f"Push on merge ({user.username}) on team"
    assert AuditEvent.objects.get(action="grant.given").object == stored
    client, url = cast.client("owner"), "/a/team-red/activity/"
    page = strip_tags(client.get(url, headers=FRENCH).content.decode())
    assert f"a donné une permission à Push on merge ({user.username}) sur team (écriture)" in page
    assert f"{stored} (write)" in strip_tags(client.get(url).content.decode())


def test_a_sentence_with_values_is_stored_with_them_and_shown_in_each_language(db: None) -> None:
    with translation.override("fr"):
        SyncRun.objects.create(problem=undecided(1234))
    problem = SyncRun.objects.get().problem
    assert problem == "It could not be decided in 1,234 attempts; see the panel’s log."
    with translation.override("fr"):
        assert "après 1\u202f234 tentatives" in translate(problem)
    assert SyncRun.objects.filter(problem=problem).exists()
    assert SyncRun.objects.values_list("problem", flat=True).get() == problem


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "not in the registry",
        '["',
        '["a", "b"]',
        '["%(n)s", {"m": 1}]',
        '["%d", {"m": 1}]',
        '["a", {"b": 1}] c',
    ],
)
def test_a_text_that_is_no_sentence_comes_back_as_it_is(db: None, stored: str) -> None:
    """As in rows of earlier releases."""
    SyncRun.objects.create(problem=stored)
    assert SyncRun.objects.get().problem == stored


def test_what_is_too_long_is_stored_in_english(db: None) -> None:
    SyncRun.objects.create(problem=lazy("Left out: %(images)s.", images="a" * 2000))
    problem = SyncRun.objects.get().problem
    assert (len(problem), isinstance(problem, LazyText)) == (1000, False)


def test_days_and_fractions_are_written_as_the_reader_does() -> None:
    sentence = lazy("The catalog returns 1000 names at a time, in %(time)s.", time=lasted(1.25))
    expiry = lazy("The certificate authority expires on %(ends)s.", ends=date(2026, 12, 1))
    assert (sentence, expiry[-11:]) == ("The catalog returns 1000 names at a time, in 1.2 s.", "2026-12-01.")
    assert translate(expiry).endswith("on 1 Dec 2026.")
    with translation.override("fr"):
        assert "en 1,2 s" in translate(sentence)
        assert "1 déc. 2026" in translate(expiry)


def test_names_are_not_taken_for_sentences() -> None:
    with translation.override("fr"):
        assert (translate("Saved."), translate(verbatim("Saved."))) == ("Enregistré.", "Saved.")
