"""In production the panel starts securely or not at all; each refusal has a twin that starts."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as real

from manager.standalone.data_dir import ensure_secret_files

GOOD = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://registry.example.com",
    "DATABASE_URL": "postgresql://panel@127.0.0.1:1/panel",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "TRUSTED_PROXY_COUNT": "1",
}
SHOW = """
import json
from django.conf import settings as s
names = '''ALLOWED_HOSTS DEBUG SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SECURE_HSTS_SECONDS SECURE_SSL_REDIRECT
SECURE_CONTENT_TYPE_NOSNIFF X_FRAME_OPTIONS SESSION_COOKIE_NAME CSRF_COOKIE_NAME SESSION_COOKIE_HTTPONLY
SESSION_COOKIE_SAMESITE SESSION_COOKIE_DOMAIN CSRF_COOKIE_DOMAIN SESSION_COOKIE_PATH CSRF_COOKIE_PATH'''.split()
print(json.dumps({name: getattr(s, name) for name in names}))
"""


def start(folder: Path, *arguments: str, **change: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in GOOD}
    env = kept | GOOD | {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "manager.settings"} | change
    return subprocess.run(
        [sys.executable, *arguments], env=env, cwd=real.BASE_DIR, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("production")
    ensure_secret_files(folder / "secrets", datetime.now(UTC))
    return folder


def test_with_good_settings_it_starts_and_django_has_nothing_to_say(folder: Path) -> None:
    done = start(folder, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://registry.example.com"),
        ("DEBUG", "true"),
        ("DATABASE_URL", "sqlite:////tmp/db.sqlite3"),
        ("REDIS_URL", ""),
        ("ALLOWED_HOSTS", "*"),
        ("ENVIRONMENT", "prod"),
    ],
)
def test_what_is_insecure_is_refused_by_name(folder: Path, name: str, value: str) -> None:
    done = start(folder, "manage.py", "check", **{name: value})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


def test_no_key_is_made_up(tmp_path: Path) -> None:
    done = start(tmp_path, "manage.py", "check")
    assert done.returncode != 0
    assert "django.key" in done.stderr
    assert not (tmp_path / "secrets" / "django.key").exists()


def test_nobody_comes_by_another_name_or_without_tls(folder: Path) -> None:

    found = json.loads(start(folder, "-c", SHOW).stdout)
    assert found == {
        "ALLOWED_HOSTS": ["registry.example.com"],
        "DEBUG": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 31536000,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "X_FRAME_OPTIONS": "DENY",
        "SESSION_COOKIE_NAME": "__Host-panel_session",
        "CSRF_COOKIE_NAME": "__Host-panel_csrf",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_DOMAIN": None,  # with the path, what the prefix of the names asks for
        "CSRF_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_PATH": "/",
        "CSRF_COOKIE_PATH": "/",
    }


@pytest.mark.parametrize(
    ("more", "verification"),
    [({}, "optional"), ({"EMAIL_URL": "submission://n:p@mail.example.com:587"}, "mandatory")],
)
def test_with_a_mail_server_addresses_are_verified(
    folder: Path, more: dict[str, str], verification: str
) -> None:
    show = "from django.conf import settings as s; print(s.ACCOUNT_EMAIL_VERIFICATION, s.ACCOUNT_PREVENT_ENUMERATION)"
    assert start(folder, "-c", show, **more).stdout.split() == [verification, "True"]
