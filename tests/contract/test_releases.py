"""From each kept release to this build: no row is lost, the schema is today's, and users sign in as before."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from tests.parts import fixtures, postgres, team
from tests.releases import kept

pytestmark = pytest.mark.contract
SCHEMA = "from tests import schema; print(*schema.lines(), sep='\\n')"
TOKEN = """
from base64 import b64encode
from datetime import UTC, datetime
from registry_sync.tokens.wsgi import respond
environ = {{"REQUEST_METHOD": "GET", "PATH_INFO": "/auth/token", "REMOTE_ADDR": "192.0.2.7",
           "QUERY_STRING": "service=localhost:5000&scope=repository:team/app:pull,push",
           "HTTP_AUTHORIZATION": "Basic " + b64encode(b"{0}:{1}").decode()}}
print("STATUS", respond(environ, now=datetime.now(UTC))[0])
"""


def rows(env: dict[str, str]) -> kept.Rows:
    found: kept.Rows = json.loads(team.shell(env, kept.ROWS).rpartition("ROWS ")[2])
    return found


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    left = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    return left | {"DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def url() -> Iterator[str]:
    fixtures.need("postgresql")
    with postgres.cluster() as made:
        yield made.patient_url


@pytest.fixture(params=kept.DATABASES)
def database(request: pytest.FixtureRequest, env: dict[str, str]) -> str:
    if request.param == "postgresql":
        env["DATABASE_URL"] = request.getfixturevalue("url")
    return str(request.param)


@pytest.mark.parametrize("release", kept.releases(), ids=lambda release: release.version)
def test_what_a_release_left_is_whole(
    release: kept.Release, database: str, env: dict[str, str], tmp_path: Path
) -> None:
    kept.write_pepper(env)
    kept.load(release, database, env)
    before = rows(env)
    assert [table for table, found in before.items() if not found] == []
    team.install(env)
    after = rows(env)
    assert kept.lost(before, after) == []
    assert "STATUS 200" in team.shell(env, TOKEN.format(*release.login(database)))
    assert "The audit log is whole" in team.manage(env, "verify_audit_log")
    new = env | {"DATA_DIR": str(tmp_path / "new")}
    if database == "postgresql":
        with psycopg.connect(env["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE DATABASE new")
        new["DATABASE_URL"] = env["DATABASE_URL"].replace("/postgres?", "/new?")
    team.install(new)
    assert plain(team.shell(env, SCHEMA)) == plain(team.shell(new, SCHEMA))


def plain(schema: str) -> str:
    """PostgreSQL writes the list of a condition in another form once it was dumped and loaded."""
    return re.sub(r"::(character varying|text)(\[\])?|[()]", "", schema)


def test_this_version_is_kept() -> None:
    """`python -m tests.tools.keep_release` with each release."""
    assert settings.VERSION in {release.version for release in kept.releases()}
