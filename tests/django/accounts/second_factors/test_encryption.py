"""accounts/common/encryption.py: what is kept opens with its key alone, and moves to a new one."""

import io
import os
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command

from accounts.common import encryption
from accounts.principal import SYSTEM
from accounts.second_factors import codes
from manager.standalone.data_dir import ensure_secret_files
from namespaces.models import Webhook
from namespaces.services import webhooks
from namespaces.webhooks import stored_secrets
from tests.cast import Cast, client_for, just_signed_in
from tests.django.accounts.second_factors import factors


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    ensure_secret_files(tmp_path / "secrets", datetime.now(UTC))
    settings.SECRETS_DIR = tmp_path / "secrets"
    encryption.forget()
    yield tmp_path / "secrets"
    encryption.forget()


def command(*words: str) -> str:
    output = io.StringIO()
    call_command("rotate_encryption_key", *words, stdout=output)
    return output.getvalue()


def an_hour_later(folder: Path) -> None:
    long_ago = time.time() - encryption.RESTARTED_WITHIN - 60
    os.utime(folder / "encryption-2.key", (long_ago, long_ago))


def test_what_is_kept_is_read_back_for_its_purpose_alone() -> None:
    kept = encryption.encrypt("a secret", purpose="one")
    assert kept.startswith("1:")
    assert "a secret" not in kept
    assert encryption.decrypt(kept, purpose="one") == "a secret"
    assert kept != encryption.encrypt("a secret", purpose="one")
    with pytest.raises(encryption.Undecryptable):
        encryption.decrypt(kept, purpose="another")


@pytest.mark.parametrize("kept", ["", "a secret", "1:", "1:gAAAAA", "x:gAAAAA", "7:gAAAAA", "1" * 5000])
def test_what_was_not_encrypted_here_is_refused(kept: str) -> None:
    with pytest.raises(encryption.Undecryptable):
        encryption.decrypt(kept, purpose="one")


def test_a_key_that_others_can_read_is_refused(folder: Path) -> None:
    (folder / "encryption-1.key").chmod(0o644)
    with pytest.raises(Exception, match="chmod 600"):
        encryption.encrypt("a secret", purpose="one")


def test_without_a_key_nothing_is_stored_in_the_clear(folder: Path) -> None:
    (folder / "encryption-1.key").unlink()
    encryption.forget()
    with pytest.raises(encryption.Undecryptable):
        encryption.encrypt("a secret", purpose="one")


def test_a_new_key_encrypts_once_every_process_knows_it(folder: Path) -> None:
    old = encryption.encrypt("a secret", purpose="one")
    assert encryption.make_key() == "encryption-2.key"
    assert stat.S_IMODE((folder / "encryption-2.key").stat().st_mode) == 0o600
    assert encryption.encrypt("a secret", purpose="one").startswith("1:")
    an_hour_later(folder)
    assert encryption.encrypt("a secret", purpose="one").startswith("2:")
    assert encryption.decrypt(old, purpose="one") == "a secret"


@pytest.mark.django_db
def test_second_factors_move_to_the_new_key_and_go_on_without_the_old(cast: Cast, folder: Path) -> None:
    factors.add_app(cast.owner)
    recovery_code = factors.add_recovery_codes(cast.owner)[0]
    assert factors.SECRET not in str(Authenticator.objects.values_list("data"))
    assert "made encryption-2.key" in command("--new")
    assert "encryption-1.key: 2 second factors" in command()
    an_hour_later(folder)
    said = command()
    assert "encryption-2.key: 2 second factors" in said
    assert "encryption-1.key: 0 second factors" in said
    (folder / "encryption-1.key").unlink()
    encryption.forget()
    assert codes.accept(cast.owner, factors.code())
    assert codes.accept(cast.owner, recovery_code)


@pytest.mark.django_db
def test_webhooks_move_to_the_new_key(cast: Cast, folder: Path) -> None:
    url = "https://hooks.example.com/x"
    webhooks.create(by=SYSTEM, account=cast.account, url=url, format="empty", event_types=["image.pushed"])
    assert "encryption-1.key: 0 second factors, 1 webhook\n" in command("--new")
    an_hour_later(folder)
    assert "encryption-1.key: 0 second factors, 0 webhooks" in command()
    (folder / "encryption-1.key").unlink()
    encryption.forget()
    assert stored_secrets.decrypt(Webhook.objects.get()).url == url


@pytest.mark.django_db
def test_who_has_a_factor_of_a_lost_key_is_told_so_and_can_remove_it(cast: Cast, folder: Path) -> None:
    factors.add_app(cast.owner)
    factors.add_recovery_codes(cast.owner)
    (folder / "encryption-1.key").rename(folder / "encryption-2.key")
    encryption.forget()
    assert "encryption-1.key (missing): 2 second factors" in command()
    client = just_signed_in(client_for(cast.owner))
    answer = client.post("/me/2fa/reauthenticate/", {"code": factors.code()})
    assert answer.status_code == 503
    assert "the key is missing" in answer.text
    assert client.get("/me/2fa/").status_code == 200
    page = "/me/2fa/recovery-codes/generate/"
    assert client.get(page).status_code == 200
    assert client.post(page).status_code == 302
    assert client.post("/me/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.exists()
