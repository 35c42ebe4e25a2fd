"""A new pepper: what was digested with the old one goes on, moves over when it is used, and else goes with it."""

import io
import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts import credentials
from accounts.models import Secret
from accounts.pepper_migration import rehashes
from accounts.peppers import RESTARTED_WITHIN, peppers
from accounts.services import users
from manager.standalone.data_dir import ensure_secret_files
from registry_sync.tokens.issuer import signer
from tests import factories
from tests.cast import Cast
from tests.django.registry_sync.tokens.test_issuer import ask

pytestmark = pytest.mark.django_db


def _restart() -> None:
    signer.cache_clear()
    peppers.cache_clear()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    ensure_secret_files(tmp_path / "secrets", datetime.now(UTC))
    settings.SECRETS_DIR = tmp_path / "secrets"
    _restart()
    rehashes.forget()
    yield tmp_path / "secrets"
    _restart()


def command(*words: str) -> str:
    output = io.StringIO()
    call_command("rotate_pepper", *words, stdout=output)
    return output.getvalue()


def an_hour_later(folder: Path) -> None:
    long_ago = time.time() - RESTARTED_WITHIN - 60
    os.utime(folder / "pepper-2.key", (long_ago, long_ago))


def version_of(user: Any) -> int:
    return Secret.objects.get(user=user).pepper_version


def test_old_passwords_go_on_and_new_ones_use_the_new_pepper(cast: Cast) -> None:
    old = factories.RegistryUserFactory(account=cast.account)
    assert "made pepper-2.key" in command("--new")
    _restart()
    new, password = users.create(
        by=cast.by("owner"), account=cast.account, description="new", expires_at=None
    )
    assert (version_of(old), version_of(new)) == (1, 2)
    assert ask(old)[0] == ask(new, password=password)[0] == 200
    assert ask(new, password=credentials.make(credentials.USER_PREFIX))[0] == 401


def test_a_password_that_is_used_outlives_its_pepper_and_one_that_is_not_does_not(
    cast: Cast, folder: Path
) -> None:
    used, unused = factories.RegistryUserFactory.create_batch(2, account=cast.account)
    command("--new")
    _restart()
    ask(used)
    assert rehashes.write() == 0  # a process that was not restarted yet knows the old pepper alone
    an_hour_later(folder)
    ask(used)
    assert rehashes.write() == 1
    assert (version_of(used), version_of(unused)) == (2, 1)
    assert ask(used)[0] == ask(unused)[0] == 200
    (folder / "pepper-1.key").unlink()
    _restart()
    assert (ask(used)[0], ask(unused)[0]) == (200, 401)


def test_what_already_has_the_newest_is_not_written_again(cast: Cast) -> None:
    ask(factories.RegistryUserFactory(account=cast.account))
    assert rehashes.write() == 0


def test_somebody_elses_name_moves_no_password(cast: Cast, folder: Path) -> None:
    one, other = factories.RegistryUserFactory.create_batch(2, account=cast.account)
    command("--new")
    an_hour_later(folder)
    _restart()
    assert ask(one, password=other.password)[0] == 401
    assert rehashes.write() == 0


def test_the_command_says_what_would_be_lost(cast: Cast, folder: Path) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="Nightly backup")
    assert command() == "pepper-1.key: 1 password\n"
    told = command("--new")
    assert stat.S_IMODE((folder / "pepper-2.key").stat().st_mode) == 0o600
    assert (folder / "pepper-2.key").read_text() not in told
    assert "pepper-2.key: 0 passwords" in told
    assert "pepper-1.key: 1 password," in told
    assert f"team-red  {user.username}  Nightly backup" in told
