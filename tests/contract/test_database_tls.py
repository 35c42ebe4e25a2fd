"""What DATABASE_URL says of TLS and more, on a real PostgreSQL with certificates of our own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from manager import database_url
from tests.parts import certificates, fixtures, patient, postgres, processes, team

pytestmark = pytest.mark.contract


@pytest.fixture(autouse=True)
def _databases_of_our_own(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> certificates.Files:
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(files: certificates.Files) -> Iterator[postgres.Cluster]:
    fixtures.need("postgresql")
    with postgres.cluster(tls=files) as made:
        yield made


def answer(url: str, question: str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") -> object:
    """As Django gets it with the settings that the address makes."""
    waits = f"{url}&connect_timeout={processes.PATIENCE}"
    database = ConnectionHandler({"default": database_url.read(waits)})["default"]
    try:
        with database.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]
    finally:
        database.close()


def test_a_server_without_tls_is_refused_where_tls_is_asked_for(postgres_url: str, tmp_path: Path) -> None:
    assert answer(f"{postgres_url}?sslmode=prefer") is False
    with pytest.raises(OperationalError, match="does not support SSL"):
        answer(f"{postgres_url}?sslmode=require")
    env = os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"{postgres_url}?sslmode=require"}
    env.pop("SECRETS_DIR", None)
    env |= patient.ENV
    team.manage(env, "init_data_dir")
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "does not support SSL" in done.stderr


def test_tls_is_used(server: postgres.Cluster, files: certificates.Files) -> None:
    assert answer(f"{server.url}?sslmode=require") is True
    assert answer(f"{server.url}?sslmode=verify-full&sslrootcert={files.authority}") is True
    assert answer(f"{server.url}?sslmode=disable") is False


def test_the_certificate_is_looked_at(server: postgres.Cluster, tmp_path: Path) -> None:
    other = certificates.make(tmp_path / "other")
    for mode in ("require", "verify-ca", "verify-full"):
        with pytest.raises(OperationalError, match="certificate verify failed"):
            answer(f"{server.url}?sslmode={mode}&sslrootcert={other.authority}")


def test_the_name_is_looked_at(tmp_path: Path) -> None:
    fixtures.need("postgresql")
    elsewhere = certificates.make(tmp_path / "elsewhere", address="127.0.0.9")
    with postgres.cluster(tls=elsewhere) as server:
        assert answer(f"{server.url}?sslmode=verify-ca&sslrootcert={elsewhere.authority}") is True
        with pytest.raises(OperationalError, match="does not match host name"):
            answer(f"{server.url}?sslmode=verify-full&sslrootcert={elsewhere.authority}")


def test_what_else_the_address_says_gets_to_the_server(server: postgres.Cluster) -> None:
    url = f"{server.url}?application_name=our%20panel&target_session_attrs=read-write&options=-c%20lock_timeout%3D3s"
    assert answer(url, "SHOW application_name") == "our panel"
    assert answer(url, "SHOW lock_timeout") == "3s"
    assert answer(url, "SHOW statement_timeout") == "10s"
