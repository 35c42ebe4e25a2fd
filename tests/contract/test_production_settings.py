"""How a production process reads its environment: secrets from files, refusals in sentences, probes by address."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://registry.example.com",
    "DATABASE_URL": "postgresql://panel@127.0.0.1:1/panel",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "TRUSTED_PROXY_COUNT": "1",
    "EVENTS_URL": "http://web:8000/registry/events",
}
STANDALONE = {"ENVIRONMENT": "standalone", "DATABASE_URL": "sqlite:///{folder}/db.sqlite3", "REDIS_URL": ""}
PROBE = """
from django.test import Client, override_settings
PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
with override_settings(STORAGES=PLAIN):
    client = Client(raise_request_exception=False)
    for host, path in (("10.0.0.7", "/healthz"), ("10.0.0.7", "/readyz"), ("10.0.0.7", "/me/login/"),
                       ("registry.example.com", "/me/login/")):
        print(client.get(path, headers={"host": host}).status_code, end=" ")
    print(client.post("/registry/events", headers={"host": "web:8000"}).status_code)
"""


def manage(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | PRODUCTION | {"DATA_DIR": str(folder)} | more
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    done = manage(folder, "init_data_dir", DATABASE_PASSWORD_FILE=str(folder / "database" / "password"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """As `init_data_dir` leaves it."""
    return shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)


def test_only_prepare_makes_secret_files(tmp_path: Path) -> None:
    refused = manage(tmp_path, "check")
    assert refused.returncode == 1
    assert "django.key is missing" in refused.stderr
    assert not (tmp_path / "secrets").exists()


def test_another_machine_takes_the_keys_of_the_first_and_makes_none(folder: Path) -> None:
    (folder / "secrets" / "leaf.pem").unlink()  # each machine may have one of its own
    before = {path.name: path.read_bytes() for path in (folder / "secrets").iterdir()}
    done = manage(folder, "init_data_dir", "--no-new-keys")
    assert done.returncode == 0, done.stderr
    after = {path.name: path.read_bytes() for path in (folder / "secrets").iterdir()}
    assert {name: after.pop(name) for name in before} == before
    assert set(after) == {"leaf.pem"}


@pytest.mark.parametrize("name", ["django.key", "ca.key", "pepper-1.key", "hook.key"])
def test_a_key_that_another_machine_has_is_asked_for_and_not_made(folder: Path, name: str) -> None:
    (folder / "secrets" / name).unlink()
    done = manage(folder, "init_data_dir", "--no-new-keys")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert name in line
    assert "Copy" in line
    assert not (folder / "secrets" / name).exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("in the way")
    done = manage(tmp_path, "init_data_dir")
    assert done.returncode == 1
    assert "django.key cannot be" in done.stderr.splitlines()[-1]


def test_prepare_leaves_only_files_of_its_owner(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"password", "leaf.pem", "registry.yml", "ca.crt"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_the_registry_reads_holds_no_key(folder: Path) -> None:
    config = folder / "registry-config"
    assert {path.name for path in config.iterdir()} == {"registry.yml", "ca.crt"}
    assert "PRIVATE KEY" not in (config / "ca.crt").read_text()


def test_a_value_may_stand_in_a_file(folder: Path) -> None:
    (folder / "mail").write_text("submission://name:hidden@mail.example.com:587\n")
    (folder / "database-url").write_text("postgresql://other@127.0.0.1:1/elsewhere\n")
    printed = manage(
        folder, "shell", "--verbosity", "0", "--command",
        "from django.conf import settings as s; d = s.DATABASES['default'];"
        "print(s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_TLS, d['NAME'], len(d['PASSWORD']))",
        EMAIL_URL_FILE=str(folder / "mail"), DATABASE_URL_FILE=str(folder / "database-url"),
        DATABASE_PASSWORD_FILE=str(folder / "database" / "password"),
    )  # fmt: skip
    assert printed.stdout.split() == ["hidden", "True", "elsewhere", "64"], printed.stderr


@pytest.mark.parametrize(
    ("told", "expected"),
    [({}, "invite"), ({"SIGNUP": "open"}, "open"), ({"SIGNUP": "closed"}, "closed"), (STANDALONE, "open")],
)
def test_signing_up_takes_an_invitation_unless_somebody_says_otherwise(
    folder: Path, told: dict[str, str], expected: str
) -> None:
    code = "from django.conf import settings; print(settings.SIGNUP)"
    told = {name: value.format(folder=folder) for name, value in told.items()}
    assert manage(folder, "shell", "--verbosity", "0", "--command", code, **told).stdout.strip() == expected


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PUBLIC_URL", "http://registry.example.com", "must begin with https://"),
        ("EVENTS_URL", "http://web:8000/", "/registry/events"),
        ("EMAIL_URL", "smtp+tls://name:password@mail.example.com", "must look like submission://"),
        ("EMAIL_URL_FILE", "/nowhere", "must be a readable file path"),
        ("DATABASE_PASSWORD_FILE", "/nowhere", "is missing"),
        ("DATABASE_URL", "sqlite:////tmp/db.sqlite3", "must name PostgreSQL"),
        ("STATIC_DIR", "{folder}", "must be a folder of its own"),
        ("STATIC_DIR", "{folder}/secrets", "must be a folder of its own"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(folder: Path, name: str, value: str, sentence: str) -> None:
    done = manage(folder, "check", **{name: value.format(folder=folder)})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()  # and no traceback
    assert name in line or "Secret file" in line
    assert sentence in line


def test_probes_need_no_host_and_pages_do(folder: Path) -> None:
    """The registry's own post is answered as it is: a redirect would count as delivered, and be lost."""
    done = manage(folder, "shell", "--verbosity", "0", "--command", PROBE, LOG_LEVEL="ERROR")
    *pages, events = done.stdout.split()
    assert pages == ["200", "503", "400", "301"], done.stderr
    assert events not in ("301", "302", "400")
