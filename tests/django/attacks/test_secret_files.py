"""Keys that somebody else can read are no keys: what needs them refuses, says why, and shows nothing of them."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as real
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import send_mail
from django.test import Client
from django.views.debug import SafeExceptionReporterFilter

from accounts.common import secret_files
from accounts.models import OperatorLink
from accounts.peppers import peppers
from accounts.services import people
from manager import environment
from manager.standalone.data_dir import ensure_secret_files, init_data_dir
from registry_sync.checks import check_signing_keys
from registry_sync.tokens.issuer import signer
from tests import factories
from tests.django.registry_sync.tokens.test_issuer import ask

CHECKED = ["ca.key", "ca.crt", "leaf.pem", "pepper-1.key", "hook.key", "registry-http.key", "django.key"]
OPEN_MODES = [0o644, 0o640, 0o604, 0o620, 0o602, 0o777]
SOMEBODY = 65533
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a file away.")


def _forget() -> None:
    signer.cache_clear()
    peppers.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Secret files of this test's own; what was read of the others is forgotten, before and after."""
    ensure_secret_files(tmp_path / "secrets", datetime.now(UTC))
    settings.SECRETS_DIR = tmp_path / "secrets"
    _forget()
    yield tmp_path / "secrets"
    _forget()


def manage(*arguments: str, secrets: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "SECRETS_DIR": str(secrets), "DATA_DIR": str(secrets.parent), **more}
    return subprocess.run(
        [sys.executable, str(real.BASE_DIR / "manage.py"), *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def secret_lines(folder: Path) -> set[str]:
    """Every line of every file, but for those that any PEM file has."""
    lines = {line for path in folder.iterdir() for line in path.read_text().splitlines()}
    return {line for line in lines if not line.startswith("-----")}


@pytest.mark.parametrize("mode", OPEN_MODES)
@pytest.mark.parametrize("name", CHECKED)
def test_a_file_that_others_can_open_is_refused_at_start(folder: Path, name: str, mode: int) -> None:
    assert check_signing_keys() == []
    (folder / name).chmod(mode)
    (problem,) = check_signing_keys()
    assert problem.is_serious()
    assert f"chmod 600 {folder / name}" in problem.msg
    assert not any(line in problem.msg for line in secret_lines(folder))


@pytest.mark.parametrize("mode", [0o600, 0o400])
@pytest.mark.parametrize("name", CHECKED)
def test_a_file_for_its_owner_alone_is_taken(folder: Path, name: str, mode: int) -> None:
    (folder / name).chmod(mode)
    assert check_signing_keys() == []


@needs_root
@pytest.mark.parametrize("name", CHECKED)
def test_a_file_of_somebody_else_is_refused_at_start(folder: Path, name: str) -> None:
    os.chown(folder / name, SOMEBODY, -1)
    (problem,) = check_signing_keys()
    assert problem.is_serious()
    assert f"chown {os.geteuid()} {folder / name}" in problem.msg


@needs_root
def test_the_system_may_own_what_the_panel_only_reads(folder: Path) -> None:
    """Files that an orchestrator mounts belong to root."""
    for path in folder.iterdir():
        os.chown(path, 0, -1)
    assert check_signing_keys() == []


def test_the_command_line_does_not_go_on_with_it(folder: Path) -> None:
    assert manage("check", secrets=folder).returncode == 0
    for name in ("django.key", "leaf.pem", "pepper-1.key"):
        (folder / name).chmod(0o644)
        done = manage("check", secrets=folder)
        assert done.returncode != 0
        assert f"chmod 600 {folder / name}" in done.stderr
        assert not any(line in done.stdout + done.stderr for line in secret_lines(folder))
        (folder / name).chmod(0o600)


def test_a_short_or_absent_key_is_refused_and_none_is_built_in(folder: Path) -> None:
    assert environment.secret(folder / "django.key", create=False)
    secret_files.replace(folder / "django.key", b"changeme")
    with pytest.raises(ImproperlyConfigured, match="fewer than 32"):
        environment.secret(folder / "django.key", create=False)
    with pytest.raises(ImproperlyConfigured, match="is missing"):
        environment.secret(folder / "another.key", create=False)


def test_a_key_of_random_bytes_is_refused_without_a_word_of_it(folder: Path) -> None:
    secret_files.create(folder / "metrics.key", b"k" * 40 + bytes(range(200, 216)))
    done = manage("check", secrets=folder, METRICS_KEY_FILE=str(folder / "metrics.key"))
    assert done.returncode == 1
    sentence = f"Secret file {folder / 'metrics.key'} holds bytes that are no text; make a new one."
    assert done.stdout + done.stderr == sentence + "\n"


def test_two_installations_share_no_key(folder: Path, tmp_path: Path) -> None:
    ensure_secret_files(tmp_path / "other", datetime.now(UTC))
    ours = {path.name: path.read_bytes() for path in folder.iterdir()}
    theirs = {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()}
    assert set(ours) == set(theirs)
    assert not set(ours.values()) & set(theirs.values())


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["leaf.pem", "pepper-1.key"])
@pytest.mark.parametrize("damage", ["open", "gone"])
def test_the_token_door_waits_for_a_usable_key(
    folder: Path, caplog: pytest.LogCaptureFixture, name: str, damage: str
) -> None:
    user = factories.RegistryUserFactory()
    content = (folder / name).read_bytes()
    _forget()
    (folder / name).chmod(0o644) if damage == "open" else (folder / name).unlink()
    status, body = ask(user)
    assert status == 503
    assert "token" not in body
    assert str(folder) not in str(body)
    assert name in caplog.text
    secret_files.replace(folder / name, content)
    assert ask(user)[0] == 200


def test_whatever_the_umask_new_files_are_for_their_owner_alone(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.SECRETS_DIR = tmp_path, tmp_path / "secrets"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.EMAIL_BACKEND = "accounts.mail.FolderBackend"
    before = os.umask(0)
    try:
        init_data_dir(events_url="http://127.0.0.1:1/events")
        send_mail("Reset", "a link as good as a password", None, ["known@example.com"])
    finally:
        os.umask(before)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"registry.yml", "leaf.pem", "django.key"}
    assert [path for path in files if path.suffix == ".log"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    folders = [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


@pytest.mark.django_db
def test_the_operators_link_is_kept_as_a_digest(folder: Path) -> None:
    text = people.make_operator_link() or ""
    assert OperatorLink.objects.get().digest not in (text, "")
    assert [path for path in folder.rglob("*") if path.is_file() and text in path.read_text("latin-1")] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["{}", "../secrets/{}", "%2e%2e/secrets/{}", "..%2fsecrets%2f{}", "....//secrets/{}", "/{folder}/{}",
     "%2e%2e%2fsecrets%2f{}%00.css", "..\\secrets\\{}"],
)  # fmt: skip
def test_no_address_below_static_leads_to_a_key(folder: Path, settings: Any, path: str) -> None:
    settings.STATIC_ROOT = folder.parent / "static"
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "panel.css").write_text("body {}")
    answer = Client().get("/static/" + path.format("leaf.pem", folder=folder))
    assert answer.status_code == 404
    assert b"PRIVATE KEY" not in answer.content
    served = Client().get("/static/panel.css")
    assert b"".join(served.streaming_content) == b"body {}"  # type: ignore[arg-type]
    served.close()


def test_the_folder_of_static_files_holds_no_secrets() -> None:
    assert not real.SECRETS_DIR.is_relative_to(real.STATIC_ROOT)
    assert not real.STATIC_ROOT.is_relative_to(real.SECRETS_DIR)
    assert not any(real.SECRETS_DIR.is_relative_to(folder) for folder in real.STATICFILES_DIRS)


def test_the_settings_that_errors_are_reported_with_hide_every_secret() -> None:
    shown = SafeExceptionReporterFilter().get_safe_settings()
    assert real.SECRET_KEY not in str(shown)
    assert shown["PUBLIC_URL"] == real.PUBLIC_URL
