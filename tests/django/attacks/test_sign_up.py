"""Addresses that people sign up with: what cannot be kept is refused at the form, and nothing is left behind."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import Person
from tests import factories

NEW = "tall green ladder"
REFUSED = [
    "a@exam\u202eple.com", "adm\u0131n@example.com", "a" * 250 + "@example.com", "a@" + "b" * 70 + ".com",
    "n\x00ul@example.com", "a@example.com\r\nBcc: b@example.com", "no address", "", "a@b@example.com",
]  # fmt: skip


def sign_up(email: str) -> Any:
    return Client().post("/me/signup/", {"email": email, "password1": NEW, "password2": NEW})


@pytest.mark.django_db
@pytest.mark.parametrize("email", REFUSED)
def test_an_address_that_cannot_be_kept_is_refused(email: str, mailoutbox: list[object]) -> None:
    answer = sign_up(email)
    assert answer.status_code == 200
    assert answer.context["form"].errors["email"]
    assert not Person.objects.exists()
    assert not mailoutbox
    assert sign_up("somebody@example.com").status_code == 302


@pytest.mark.django_db
def test_an_address_that_looks_like_another_is_shown_as_what_it_is() -> None:
    factories.PersonFactory(email="known@example.com")
    assert sign_up("known@ex\u0430mple.com").status_code == 302
    assert Person.objects.latest("pk").email == "known@xn--exmple-4nf.com"


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["a@ex\xe4mple.com", "A@EX\xc4MPLE.COM", "a@xn--exmple-cua.com"])
def test_one_signs_in_with_the_address_as_one_writes_it(typed: str, mailoutbox: list[Any]) -> None:
    sign_up("a@ex\xe4mple.com")
    assert Client().post("/me/login/", {"login": typed, "password": NEW}).status_code == 302
    Client().post("/me/password/reset/", {"email": typed})
    assert "/key/" in mailoutbox[-1].body


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/me/signup/", "/me/password/reset/"])
def test_a_folder_without_room_for_a_mail_is_told_and_no_failure(
    path: str, settings: Any, tmp_path: Path
) -> None:
    factories.PersonFactory(email="known@example.com")
    form = {"email": "known@example.com"} | ({"password1": NEW, "password2": NEW} if "signup" in path else {})
    form["email"] = "new@example.com" if "signup" in path else form["email"]
    folder = tmp_path / "hunter2"
    folder.touch()  # nothing can be written into it
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "accounts.mail.FolderBackend", str(folder)
    answer = Client().post(path, form)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "could not be saved" in answer.content.decode()
    assert "hunter2" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("act", "most"), [("sign up", 6), ("reset", 20)])
def test_nobody_fills_the_mailbox_of_another(
    act: str, most: int, settings: Any, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From however many places: counted by the address that the mails go to. A day later it is good again."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    factories.PersonFactory(email="known@example.com")
    now = [1_000_000_000.0]
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: now[0])

    def ask(number: int) -> None:
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        path, form = (
            ("/me/password/reset/", {})
            if act == "reset"
            else ("/me/signup/", {"password1": NEW, "password2": NEW})
        )
        client.post(path, {"email": "known@example.com"} | form)
        now[0] += 300

    for number in range(30):
        ask(number)
    assert len(mailoutbox) == most
    now[0] += 86400
    ask(31)
    assert len(mailoutbox) == most + 1
