"""Mails with a mail server: written by the page, sent by the worker, tried again, given up after a day, and shown."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from accounts import outbox
from accounts.models import OutgoingMail, Person
from registry_sync import tasks
from tests import factories
from tests.cast import Cast, client_for
from tests.parts.mail_server import MailServer, mail_server
from tests.parts.processes import free_port

pytestmark = pytest.mark.django_db
NEW = "tall green ladder"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


@pytest.fixture(autouse=True)
def _by_mail_server(settings: Any, server: MailServer) -> None:
    """What EMAIL_URL changes."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.EMAIL_BACKEND = "accounts.outbox.OutboxBackend"
    settings.MAIL_TRANSPORT = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False


def sign_up(email: str) -> int:
    form = {"email": email, "password1": NEW, "password2": NEW}
    return Client().post("/me/signup/", form).status_code


def put(to: str = "a@example.com", *, created_at: datetime | None = None) -> OutgoingMail:
    EmailMessage("Subject", "the text", "Panel <panel@example.com>", [to]).send()
    row = OutgoingMail.objects.latest("pk")
    if created_at:
        OutgoingMail.objects.update(created_at=created_at)
    return row


def later(row: OutgoingMail) -> datetime:
    row.refresh_from_db()
    assert row.due_at
    return row.due_at


@pytest.mark.parametrize("act", ["sign up", "sign up taken", "reset", "reset unknown"])
def test_no_page_speaks_to_the_mail_server(server: MailServer, act: str) -> None:
    """It would answer sooner where another mail goes out, or none, and would wait while the server is away."""
    person = factories.PersonFactory(email="known@example.com")
    email = {"sign up": "new@example.com", "reset unknown": "nobody@example.com"}.get(act, person.email)
    if "sign up" in act:
        assert sign_up(email) == 302
    else:
        assert Client().post("/me/password/reset/", {"email": email}).status_code == 302
    assert server.connections == 0
    row = OutgoingMail.objects.get()
    assert row.to == email
    for secret in ("http", "/key/", "confirm-email", "panel"):
        assert secret not in row.encrypted
    tasks.mails()
    assert not OutgoingMail.objects.exists()
    (mail,) = server.mails
    assert f"To: {email}" in mail
    assert "From: Registry Manager <no-reply@" in mail


def test_the_link_that_was_mailed_works(server: MailServer) -> None:
    sign_up("new@example.com")
    tasks.mails()
    link = re.search(r"/me/confirm-email/\S+", server.mails[0].replace("=\r\n", ""))
    assert link
    assert Client().post(link[0]).status_code == 302


def test_while_the_server_is_away_mails_wait_and_then_go(settings: Any, server: MailServer) -> None:
    settings.EMAIL_PORT = free_port()
    first, second = put(), put("b@example.com")
    now = timezone.now()
    assert outbox.send_due(now=now) == 0
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.attempts, second.attempts) == (1, 0)  # the second would wait as long for nobody
    assert first.problem == "the mail server does not answer (ConnectionRefusedError)"
    waits = []
    for _each in range(12):
        OutgoingMail.objects.filter(pk=second.pk).update(due_at=None)
        at = later(first)
        outbox.send_due(now=at)
        waits.append((later(first) - at).total_seconds())
    assert waits == [60, 120, 240, 480, 960, 1920] + [3600] * 6
    OutgoingMail.objects.filter(pk=second.pk).update(due_at=now)
    settings.EMAIL_PORT = server.port
    assert outbox.send_due(now=later(first)) == 2
    assert len(server.mails) == 2


def test_a_name_that_no_server_can_have_is_told_as_a_server_that_is_away(settings: Any) -> None:
    """Python finds it no name at all, before anybody is asked."""
    settings.EMAIL_HOST = "mail..example.com"
    row = put()
    assert outbox.send_due(now=timezone.now()) == 0
    row.refresh_from_db()
    assert row.problem == "the mail server does not answer (UnicodeError)"


def test_a_silent_server_costs_the_worker_its_patience_once(settings: Any, server: MailServer) -> None:
    server.greets = False
    settings.EMAIL_TIMEOUT = 0.2
    put()
    put("b@example.com")
    outbox.send_due(now=timezone.now())
    assert server.connections == 1


def test_an_address_that_is_refused_keeps_nobody_elses_mail(server: MailServer) -> None:
    server.answers["RCPT"] = "550 hunter2"
    bad = put()
    outbox.send_due(now=timezone.now())
    server.answers.clear()
    put("b@example.com")
    assert outbox.send_due(now=timezone.now()) == 1
    bad.refresh_from_db()
    assert bad.problem == "the mail server refuses the address"


def test_after_a_day_it_is_given_up_forgotten_and_shown(
    server: MailServer, cast: Cast, operator: Person
) -> None:
    server.answers["MAIL"] = "451 hunter2"
    row = put(created_at=timezone.now() - timedelta(hours=23))
    outbox.send_due(now=timezone.now())
    page = client_for(operator).get("/system/").content.decode()
    assert "1 will be retried" in page
    assert "the mail server answers 451" in page
    assert "hunter2" not in page
    later_on = timezone.now() + timedelta(hours=2)
    outbox.send_due(now=later_on)
    row.refresh_from_db()
    assert (row.due_at, row.encrypted, row.attempts) == (None, "", 2)
    browser = client_for(operator)
    assert "1 given up after a day" in browser.get("/system/").content.decode()
    told = browser.get("/api/v1/system/").json()
    assert (told["waiting_mail_count"], told["undelivered_mail_count"]) == (0, 1)
    assert cast.client("owner").get("/system/").status_code == 404
    server.answers.clear()
    assert outbox.send_due(now=later_on) == 0
    outbox.forget_given_up(now=later_on + outbox.KEPT)
    assert not OutgoingMail.objects.exists()


def test_a_worker_that_died_in_the_middle_leaves_it_to_the_next(server: MailServer) -> None:
    row, now = put(), timezone.now()
    assert outbox._take(row, now)
    assert outbox.send_due(now=now) == 0
    assert outbox.send_due(now=now + outbox.LEASE) == 1


def test_two_workers_send_it_once(server: MailServer) -> None:
    row = put()
    stale = OutgoingMail.objects.get(pk=row.pk)
    assert outbox._take(row, timezone.now())
    assert not outbox._take(stale, timezone.now())


def test_with_another_key_nothing_can_be_read_of_it(settings: Any, server: MailServer) -> None:
    row = put()
    settings.SECRET_KEY = "another"
    outbox.send_due(now=timezone.now())
    row.refresh_from_db()
    assert (row.due_at, row.problem) == (None, "django.key is another since it was written")
    assert not server.connections
