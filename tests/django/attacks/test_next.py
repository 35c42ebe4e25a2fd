"""Where a page is led to afterwards: to ours, by https when ours is, and nowhere else."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.views.form_errors import is_ours
from tests import factories
from tests.cast import Cast

BASE = Path(__file__).parents[3]
ELSEWHERE = [
    "//evil.example/", "///evil.example/", "https:evil.example", "https:/evil.example", "/\\evil.example",
    "\\\\evil.example",
    "http://panel.example/me/tokens/", "https://panel.example:8443/", "https://panel.example@evil.example/",
    "https://evil.example/", "https://hooks.internal/", "javascript:alert(1)", "data:text/html,x", "ftp://panel.example/",
    "/\t/evil.example", "\x00//evil.example", " //evil.example", "//panel.example.evil.example/", "https://localhost/",
]  # fmt: skip
HERE = ["/me/tokens/", "/me/tokens/?page=2#x", "https://panel.example/me/tokens/"]


@pytest.fixture(autouse=True)
def _panel(settings: Any) -> None:
    settings.PUBLIC_URL = "https://panel.example"
    settings.ALLOWED_HOSTS = ["panel.example", "hooks.internal", "localhost"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://panel.example"]


def client() -> Client:
    return Client(HTTP_HOST="panel.example")


@pytest.mark.django_db
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("asked", [*HERE, *ELSEWHERE])
def test_signing_in_leads_to_our_own_pages_alone(asked: str, secure: bool) -> None:
    person = factories.PersonFactory()
    form = {"login": person.email, "password": factories.PASSWORD, "next": asked}
    answer = client().post("/me/login/", form, secure=secure)
    assert answer.status_code == 302
    assert answer.headers["Location"] == (asked if asked in HERE else "/")


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [*HERE, *ELSEWHERE])
@pytest.mark.parametrize(
    "path", ["/me/signup/", "/me/logout/", "/me/reauthenticate/", "/me/password/change/"]
)
def test_so_does_every_other_way(path: str, asked: str) -> None:
    person, browser, new = factories.PersonFactory(), client(), "tall green ladder"
    if path != "/me/signup/":
        browser.force_login(person)
    form = {"email": "new@example.com", "password": factories.PASSWORD, "oldpassword": factories.PASSWORD,
            "password1": new, "password2": new, "next": asked}  # fmt: skip
    answer = browser.post(path, form, secure=True)
    assert answer.status_code == 302
    led = answer.headers["Location"]
    assert led == asked if asked in HERE else "evil" not in led and is_ours(led)


@pytest.mark.parametrize("asked", [*HERE[:2], *ELSEWHERE])
def test_so_do_the_forms_of_lists(cast: Cast, asked: str) -> None:
    browser = client()
    browser.force_login(cast.owner)
    answer = browser.post("/a/team-red/sync/", {"next": asked}, secure=True)
    assert answer.headers["Location"] == (asked if asked in HERE else "/a/team-red/images/")


def test_without_tls_our_own_http_is_good(settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    assert is_ours("http://localhost:8000/me/tokens/")
    assert not is_ours("http://localhost:9000/me/tokens/")


def test_nothing_else_reads_where_to_go() -> None:
    """Who leads a browser to what a request says asks `is_ours`."""
    reads = re.compile(
        r"""(GET|POST|META)(\.get\(|\[)["'](next|redirect|return|url|HTTP_REFERER)|current_url"""
    )
    found = {
        str(path.relative_to(BASE))
        for room in ("accounts", "namespaces", "registry_sync", "manager")
        for path in (BASE / room).rglob("*.py")
        if reads.search(path.read_text())
    }
    found.remove(
        "registry_sync/views/context_processors.py"
    )  # which page a line stands on; nobody is led there
    assert found == {"accounts/views/form_errors.py", "namespaces/views/tag_updates.py"}
    assert all("is_ours(" in (BASE / path).read_text() for path in found)
