"""/readyz: a load balancer sends nobody to a process that could not check a password or sign a token."""

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from accounts.common import secret_files
from accounts.peppers import peppers
from manager import unapplied
from manager.standalone.data_dir import ensure_secret_files
from registry_sync.tokens.issuer import signer

pytestmark = pytest.mark.django_db


def _restart() -> None:
    signer.cache_clear()
    peppers.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    ensure_secret_files(tmp_path / "secrets", datetime.now(UTC))
    settings.SECRETS_DIR = tmp_path / "secrets"
    _restart()
    yield tmp_path / "secrets"
    _restart()


def damage(path: Path, how: str) -> None:
    match how:
        case "missing":
            path.unlink()
        case "open to others":
            path.chmod(0o644)
        case "a folder":
            path.unlink()
            path.mkdir(mode=0o700)
        case "empty":
            secret_files.replace(path, b"")
        case "another curve":
            key = ec.generate_private_key(ec.SECP384R1())
            secret_files.replace(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


CASES = [
    (name, how)
    for name in ("leaf.pem", "pepper-1.key")
    for how in ("missing", "open to others", "a folder", "empty")
]


@pytest.mark.parametrize(("name", "how"), [*CASES, ("leaf.pem", "another curve")])
def test_a_new_process_with_a_key_that_cannot_be_used_is_not_ready_and_says_why(
    folder: Path, caplog: pytest.LogCaptureFixture, name: str, how: str
) -> None:
    assert Client().get("/readyz").status_code == 200
    damage(folder / name, how)
    _restart()
    with caplog.at_level(logging.ERROR):
        answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "keys": "cannot be used; the log says which, and why"}
    assert name in caplog.text
    assert Client().get("/healthz").status_code == 200


def test_a_process_that_holds_its_keys_goes_on_serving(folder: Path) -> None:
    assert Client().get("/readyz").status_code == 200
    damage(folder / "leaf.pem", "another curve")
    damage(folder / "pepper-1.key", "missing")
    os.utime(folder / "leaf.pem", (1, 1))
    assert Client().get("/readyz").status_code == 200


def forget_migrations(where: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM django_migrations WHERE {where}")  # noqa: S608 (ours)


@pytest.mark.parametrize("where", ["app = 'accounts' AND name LIKE '0002%'", "1 = 1"])
def test_a_process_is_not_ready_before_its_migrations(
    folder: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    forget_migrations(where)
    with caplog.at_level(logging.ERROR):
        answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "manage.py migrate was not run" in answer.json()["database"]
    assert "accounts.0002_person_language" in caplog.text


def test_a_later_build_may_have_migrated(folder: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('accounts', '9999_later', CURRENT_TIMESTAMP)"
        )
    assert Client().get("/readyz").status_code == 200


def test_migrations_are_known_as_django_knows_them() -> None:
    assert unapplied.known() == set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
