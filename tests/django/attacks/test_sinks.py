"""Secrets leave the panel once, to whom they belong, and stand nowhere else: log, trail, database, pages, errors."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings as real
from django.core import serializers
from django.core.mail import EmailMessage
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client

from accounts import credentials
from accounts.common.client_ip import Origin
from accounts.models import AuditEvent, RegistryUser
from accounts.peppers import peppers
from accounts.services import api_tokens, invitations, passwords, people, users
from manager.log_format import LineFormatter, hide
from manager.standalone import registry
from registry_sync.tokens.issuer import issue_token, signer
from registry_sync.tokens.request import Credentials, TokenRequest
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.tokens.test_issuer import ask

NEW = "tall green ladder of glass"


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Everything that is logged, as the configured handler's formatter writes it."""
    lines: list[str] = []
    (console,) = (each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler)

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert console.formatter
            lines.append(console.formatter.format(record))

    root, kept = logging.getLogger(), Kept()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    yield lines
    root.setLevel(level)
    root.removeHandler(kept)


def broken(_execute: Any, *_arguments: Any) -> None:
    raise OperationalError("server closed the connection")


def in_the_database() -> str:
    """Every row of every table, as a dump would hold it."""
    rows = [row for model in apps.get_models() for row in model._default_manager.all()]
    return serializers.serialize("json", rows)


def in_the_trail() -> str:
    return serializers.serialize("json", AuditEvent.objects.all())


class Canaries(dict[str, str]):
    """Secrets by name; `found_in` tells which of them stand in a text."""

    def found_in(self, text: str) -> set[str]:
        return {name for name, secret in self.items() if secret in text}


@pytest.fixture
def canaries(cast: Cast, mailoutbox: list[EmailMessage], log: list[str]) -> Canaries:
    """One of every kind, made by the ordinary road."""
    by = cast.by("owner")
    EmailAddress.objects.create(user=cast.owner, email=cast.owner.email, primary=True)
    user, password = users.create(by=by, account=cast.account, description="CI", expires_at=None)
    Client().post("/me/password/reset/", {"email": cast.owner.email})
    Client().post("/me/signup/", {"email": "new@example.com", "password1": NEW, "password2": NEW})
    return Canaries(
        old=password,
        user=passwords.replace(by=by, user=user),
        api=api_tokens.create(by=by, name="CI", expires_at=None, confirmed=True)[1],
        invitation=invitations.invite(by=by, account=cast.account, role="viewer")[1],
        operator=people.make_operator_link() or "",
        person=factories.PASSWORD,
        signed_up=NEW,
        reset=str(mailoutbox[0].body).partition("/reset/key/")[2].split("/")[0],
        confirm=str(mailoutbox[1].body).partition("/confirm-email/")[2].split("/")[0],
        pepper=peppers()[0].key.decode(),
        key=real.SECRET_KEY,
    )


def attempts(canaries: Canaries) -> list[HttpResponse]:
    """Every secret is carried to the wrong door, by a road that fails and is written down."""
    strict, client = Client(enforce_csrf_checks=True), Client(raise_request_exception=False)
    paths = [
        f"/invite/{canaries['invitation']}/",
        f"/bootstrap/{canaries['operator']}/",
        f"/me/password/reset/key/{canaries['reset']}/",
        f"/me/confirm-email/{canaries['confirm']}/",
    ]
    answers = [strict.post(path) for path in paths]
    answers += [client.get(path.replace("/", "//", 1) + "more") for path in paths]
    answers += [client.get(f"/nowhere/{secret}") for name, secret in canaries.items() if secret[:2] == "rm"]
    for name in ("api", "user", "old", "invitation"):
        answers.append(client.get("/api/v1/me/", headers={"Authorization": f"Bearer {canaries[name]}"}))
        answers.append(client.get("/api/v1/nowhere/", headers={"Authorization": f"Bearer {canaries[name]}"}))
        login = {"login": "owner@example.com", "password": canaries[name]}
        answers.append(client.post("/me/login/", login))
    with connection.execute_wrapper(broken):
        answers += [client.get(path) for path in paths]
        answers.append(client.get("/api/v1/me/", headers={"Authorization": f"Bearer {canaries['api']}"}))
        right = {"login": "owner@example.com", "password": canaries["person"]}
        answers.append(client.post("/me/login/", right))
    return answers


def test_no_secret_is_in_the_log(cast: Cast, canaries: Canaries, log: list[str]) -> None:
    user = RegistryUser.objects.get()
    for name in ("user", "old", "api", "person"):
        ask(user, "repository:team/app:pull", password=canaries[name])
    attempts(canaries)
    written = "\n".join(log)
    assert "/invite/rml_…" in written  # so the line was written, and what it lacks is the secret
    assert "/reset/key/…" in written
    assert canaries.found_in(written) == set()


def test_no_secret_comes_back_in_an_error(canaries: Canaries) -> None:
    for answer in attempts(canaries):
        if answer.status_code >= 400:
            assert canaries.found_in(answer.content.decode()) == set(), answer.request["PATH_INFO"]  # type: ignore[attr-defined]


def test_no_secret_is_in_the_trail(cast: Cast, canaries: Canaries) -> None:
    attempts(canaries)
    assert {"user.created", "user.password_replaced", "api_token.created", "member.invited"} <= set(
        AuditEvent.objects.values_list("action", flat=True)
    )
    assert canaries.found_in(in_the_trail()) == set()


def test_no_secret_is_in_a_dump_of_the_database(canaries: Canaries) -> None:
    attempts(canaries)
    dump = in_the_database()
    assert '"model": "accounts.secret"' in dump
    assert canaries.found_in(dump) == set()


def test_no_page_shows_a_secret_a_second_time(cast: Cast, canaries: Canaries) -> None:
    user, client = RegistryUser.objects.get(), cast.client("owner")
    account = "/a/team-red"
    for path in (
        f"{account}/images/", f"{account}/users/", f"{account}/users/{user.username}/",
        f"{account}/activity/", f"{account}/settings/", "/me/tokens/",
        "/me/sessions/", "/me/email/",
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert canaries.found_in(answer.content.decode()) == set(), path


def test_a_fresh_secret_is_shown_by_an_answer_that_no_address_has(cast: Cast) -> None:
    """It is in no Location, no cookie and no cache; the legitimate reader has it before their eyes."""
    client = cast.client("owner")
    answer = client.post(
        "/a/team-red/users/new/", {"description": "CI", "expiry": "never", "expires_on": "", "once": "a mark"}
    )
    password = answer.context["password"]
    assert password in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert password not in str(answer.headers) + str(answer.cookies) + answer.request["PATH_INFO"]  # type: ignore[attr-defined]
    assert password not in str(dict(client.session))


def test_nothing_that_code_passes_around_writes_its_secret(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    request = TokenRequest(
        frozenset({real.TOKEN_SERVICE}), (), Credentials(user.username, user.password), oauth=False
    )
    issued = issue_token(request, origin=Origin("192.0.2.1", "docker", datetime.now(UTC)))
    assert issued.token.count(".") == 2
    leaf = signer().leaf(now=0)
    pem = (real.SECRETS_DIR / "leaf.pem").read_text().splitlines()[1]
    hidden = {
        "password": user.password,
        "token": issued.token,
        "pepper": peppers()[0].key.decode(),
        "pem": pem,
    }
    texts = [repr(each) for each in (request, issued, peppers(), leaf, signer(), user, cast.by("owner"))]
    assert Canaries(hidden).found_in("\n".join(texts)) == set()


def test_the_command_line_of_the_embedded_registry_holds_no_secret(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody on the machine can read it; the other parts have none but `manage.py run`."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\necho Debian GNU/Linux 12\n")
    engine.chmod(0o755)
    written = "\n".join(registry.commands(tmp_path / "registry.yml", tmp_path / "registry").serve)
    assert registry.IMAGE in written
    lines = {line for path in real.SECRETS_DIR.iterdir() for line in path.read_text().splitlines()}
    assert not [line for line in lines if line in written]


@pytest.mark.parametrize(
    "wrong",
    [
        {"DATABASE_URL": "postgresql//panel:hunter2secret@db/panel"},
        {"DATABASE_URL": "postgresql://panel:hunter2secret@db:port/panel"},
        {"DATABASE_URL": "mysql://panel:hunter2secret@db/panel"},
        {"DATABASE_URL": "postgresql://panel:hunter2secret@db/panel?hunter2secret=1"},
        {"REDIS_URL": "redis://:hunter2secret@cache:port/0"},
        {"REDIS_URL": "redis://:hunter2secret@cache/0?hunter2secret=1"},
        {"EMAIL_URL": "smtp+tls://panel:hunter2secret@mail:port"},
        {"EMAIL_URL": "smtp://panel:hunter2secret@mail?hunter2secret=1"},
        {"PUBLIC_URL": "https://hunter2secret@registry.example.com"},
        {"REGISTRY_URL": "http://panel:hunter2secret@registry:5000"},
        {"REGISTRY_URL": "http://registry:5000/hunter2secret"},
        {"EVENTS_URL": "http://panel:hunter2secret@web:8000/registry/events"},
    ],
)
def test_a_setting_that_is_refused_is_not_repeated(tmp_path: Path, wrong: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(real.BASE_DIR / "manage.py"), "check"],
        env={**os.environ, "DATA_DIR": str(tmp_path), **wrong},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert next(iter(wrong)) in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("prefix", [credentials.USER_PREFIX, credentials.API_PREFIX, credentials.LINK_PREFIX])
def test_a_line_of_the_log_keeps_all_but_the_secret(prefix: str) -> None:
    secret = credentials.make(prefix)
    assert hide(f"Forbidden: /invite/{secret}/?x={secret}") == f"Forbidden: /invite/{prefix}_…/?x={prefix}_…"
    for plain in (
        "Not Found: /a/team-red/users/",
        "rmp_short",
        "sha256:" + "a" * 64,
        "/me/password/reset/done/",
    ):
        assert hide(plain) == plain


def test_a_traceback_in_the_log_holds_no_secret() -> None:
    secret = credentials.make(credentials.USER_PREFIX)
    error = ValueError(secret)
    raised = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("panel", logging.ERROR, __file__, 1, "failed %s", (secret,), raised)
    written = LineFormatter().format(record)
    assert "failed rmp_…" in written
    assert "ValueError: rmp_…" in written
    assert secret not in written
