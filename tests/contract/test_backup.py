"""Backup and restore as an operator runs them: from either database into either, all of it or nothing."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.parts import commands, fixtures, patient, postgres, team

pytestmark = pytest.mark.contract
Env = dict[str, str]
KINDS = ("sqlite", "postgresql")
# Written by the restore itself, and so not as it was.
BOOKS = {"accounts_auditevent", "registry_sync_restoration", "registry_sync_syncrun"}
WORLD = """
from datetime import UTC, datetime, timedelta
from django.utils import timezone
from accounts import audit_chain
from accounts.models import AuditEvent, Invitation, Person, Account
from allauth.mfa.models import Authenticator
from namespaces.models import Grant, Image, Label, Manifest, Namespace, Usage, Webhook, WebhookDelivery
from registry_sync.models import (Event, Lease, Reclaim, Removal, RemovalItem, RetentionRule, Marker, SyncRun)
ada, team, space = Person.objects.get(), Account.objects.get(), Namespace.objects.get()
at = datetime(2026, 11, 29, 12, 0, 0, 1, tzinfo=UTC)
team.users.update(created_at=at, last_used_with="")
manifest = Manifest.objects.create(digest="sha256:" + "a" * 64, media_type="m", size=2**62)
Label.objects.create(manifest=manifest, key="odd", value="\\x1b[31m\\u2028 <é> \\\\N\\t\\n\\"" )
Label.objects.create(manifest=manifest, key="empty", value="")
image = Image.objects.create(namespace=space, name="app")
Grant.objects.create(user=team.users.get(), namespace=space, image_name="gone", level=1,
                     expires_at=timezone.now() + timedelta(days=1))
for name in ("one", "two"):
    made = Person.objects.create_user(name + "@example.com")
made.delete()  # its key is not given again
AuditEvent.objects.create(at=at - timedelta(days=400), actor_kind="system", actor="é", action="x", object_kind="y",
                          object="z", before={"n": None, "big": 2**53 + 1, "deep": [{"b": 1, "a": "\\x7f"}]})
assert audit_chain.seal(now=timezone.now() + timedelta(days=1))
Invitation.objects.create(account=team, role="viewer", digest="d", inviter=ada, created_by="ada",
                          expires_at=timezone.now() + timedelta(days=7))
Authenticator.objects.create(user=ada, type="recovery_codes", data={"seed": "s", "used_mask": 0})
RetentionRule.objects.create(namespace=space, keep_last=1, enabled=True)
removal = Removal.objects.create(image=image, kind="delete", requested_by="ada")
RemovalItem.objects.create(removal=removal, digest=manifest.digest)
hook = Webhook.objects.create(account=team, url="https://hooks.example", format="plain", secrets="s")
WebhookDelivery.objects.create(webhook=hook, event_type="pushed", message_id="00000000-0000-0000-0000-0000000000ff")
Lease.objects.create(name="x", until=timezone.now(), current_work="crash")
SyncRun.objects.create(state="running")
Reclaim.objects.create(state="collecting", requested_by="ada")
Marker.objects.create(name="pulls-since", at=at)
"""
FACTS = """
import json
from accounts.models import Invitation, Person, RegistryUser
from allauth.mfa.models import Authenticator
from django.utils import timezone
from namespaces.models import WebhookDelivery
from registry_sync.models import Lease, Marker, Reclaim, Removal, RemovalItem, Restoration, RetentionRule, SyncRun
print("FACTS", json.dumps({
    "people": Person.objects.count(), "next": Person.objects.create_user("new@example.com").pk,
    "invitations": Invitation.objects.live(timezone.now()).count(), "codes": Authenticator.objects.count(),
    "rules": RetentionRule.objects.filter(enabled=True).count(),
    "items": list(RemovalItem.objects.values_list("state", "outcome")), "leases": Lease.objects.count(),
    "reclaims": list(Reclaim.objects.values_list("state", flat=True)),
    "deliveries": [(str(each.message_id)[-2:], each.state, each.due_at is None)
                   for each in WebhookDelivery.objects.all()],
    "runs": sorted(SyncRun.objects.values_list("state", flat=True)),
    "pulls": Marker.objects.filter(name="pulls-since").count(),
    "at": str(RegistryUser.objects.get().created_at), "moved": [each.moved for each in Restoration.objects.all()],
}))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    fixtures.need("postgresql")
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="module")
def installation(server: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Env]:
    """Makes the environment of a new and empty one, with its own keys."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}

    def make(kind: str) -> Env:
        folder = tmp_path_factory.mktemp(kind)
        env = kept | {"DATA_DIR": str(folder / "data"), **patient.ENV}
        if kind == "postgresql":
            name = f"db{os.urandom(6).hex()}"
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            env["DATABASE_URL"] = server.rpartition("/")[0] + f"/{name}"
        return env

    return make


@pytest.fixture(scope="module")
def source(installation: Callable[[str], Env]) -> Callable[[str], Path]:
    """The backup of an installation with odd rows, by the kind of its database; its keys are in keys/keys.tar."""
    made: dict[str, Path] = {}

    def of(kind: str) -> Path:
        if kind not in made:
            env = installation(kind)
            team.make(env, new=True)
            team.shell(env, WORLD)
            made[kind] = backup(env)
        return made[kind]

    return of


def manage(env: Mapping[str, str], *words: str | Path) -> subprocess.CompletedProcess[str]:
    return commands.run(env, *map(str, words))


def backup(env: Mapping[str, str], name: str = "one") -> Path:
    folder = Path(env["DATA_DIR"]).parent
    (folder / "keys").mkdir(exist_ok=True)
    file = folder / f"{name}.tar"
    done = manage(env, "backup", file, "--keys", keys_of(file))
    assert done.returncode == 0, done.stderr
    return file


def keys_of(file: Path) -> Path:
    return file.parent / "keys" / "keys.tar"


def restore(env: Mapping[str, str], file: Path, *more: str) -> str:
    done = manage(env, "restore", file, "--keys", keys_of(file), *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def member(file: Path, name: str) -> Any:
    with tarfile.open(file) as tar:
        content = tar.extractfile(name)
        assert content
        return json.load(content)


def totals(file: Path) -> dict[str, Any]:
    tables: dict[str, Any] = member(file, "totals.json")["tables"]
    return {name: total for name, total in tables.items() if name not in BOOKS}


def facts(env: Env) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(team.shell(env, FACTS).split("FACTS ")[1])
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_each_row_is_the_same(
    kind: str, source: Callable[[str], Path], installation: Callable[[str], Env]
) -> None:
    first = source(kind)
    there, back = installation(KINDS[1 - KINDS.index(kind)]), installation(kind)
    for env in (there, back):
        team.install(env)
    told = restore(there, first, "--move")
    assert "the audit log is whole up to event" in told
    second = backup(there)
    restore(back, second, "--move")
    third = backup(back)
    assert totals(first) == totals(second) == totals(third)
    assert totals(first)["namespaces_label"]["rows"] == 2
    assert manage(back, "verify_audit_log").returncode == 0
    found = facts(back)
    assert (found["next"], found["at"]) == (4, "2026-11-29 12:00:00.000001+00:00")
    assert (found["invitations"], found["codes"], found["rules"], found["moved"]) == (1, 1, 1, [True, True])
    assert found["deliveries"] == [["ff", "waiting", False]]


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_have_been_used_or_withdrawn_since_is_void(
    kind: str, source: Callable[[str], Path], installation: Callable[[str], Env]
) -> None:
    """Also into a database without a table, and without keys of its own."""
    env = installation(kind)
    folder = Path(env["DATA_DIR"])
    (folder / "secrets").mkdir(parents=True)
    told = restore(env, source("sqlite"))
    assert "void: 1 invitation, recovery codes of 1 person, all sessions" in told
    assert "turned off: 1 retention rule; stopped: 1 deletion, 1 message of a webhook" in told
    found = facts(env)
    assert (found["invitations"], found["codes"], found["rules"], found["leases"], found["pulls"]) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert (found["deliveries"], found["reclaims"]) == ([["ff", "failed", True]], ["stopped"])
    assert (found["items"], found["runs"]) == ([["stopped", "restored"]], ["failed", "waiting"])
    with tarfile.open(keys_of(source("sqlite"))) as theirs:
        names = theirs.getnames()
        pepper = theirs.extractfile("pepper-1.key")
        assert pepper
        assert (folder / "secrets" / "pepper-1.key").read_bytes() == pepper.read()
    assert "django.key" not in names
    assert (folder / "secrets" / "django.key").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_use_is_not_overwritten(
    kind: str, source: Callable[[str], Path], installation: Callable[[str], Env]
) -> None:
    env = installation(kind)
    team.make(env, new=True)
    done = manage(env, "restore", source("sqlite"), "--keys", keys_of(source("sqlite")))
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("CommandError: The database holds 1 person, 1 account, ")
    assert sentence.endswith("Nothing was restored: an empty installation is needed.")


KILLED = """
import os, signal, sys
from django.core.management import call_command
from manager.backup import restoring
restoring.key_files.install = lambda *_all: os.kill(os.getpid(), signal.SIGKILL)
call_command("restore", {file!r}, "--keys", {keys!r})
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_restore_leaves_it_empty_and_is_run_again(
    kind: str, source: Callable[[str], Path], installation: Callable[[str], Env]
) -> None:
    env, file = installation(kind), source(kind)
    team.install(env)
    code = KILLED.format(file=str(file), keys=str(keys_of(file)))
    killed = manage(env, "shell", "--verbosity", "0", "--command", code)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    counted = "from accounts.models import Person; print('PEOPLE', Person.objects.count())"
    assert "PEOPLE 0" in team.shell(env, counted)
    restore(env, file)
    assert facts(env)["people"] == 2


def damaged(file: Path, to: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Copy the archive; `change` returns what a member holds then, None for no such member."""
    with tarfile.open(file) as old, tarfile.open(to, "w") as new:
        for each in old:
            reading = old.extractfile(each)
            assert reading
            content = change(each.name, reading.read())
            if content is not None:
                each.size = len(content)
                new.addfile(each, io.BytesIO(content))
    return to


def in_about(**fields: Any) -> Callable[[str, bytes], bytes]:
    return lambda name, content: (
        json.dumps(json.loads(content) | fields).encode() if name == "backup.json" else content
    )


DAMAGES: dict[str, tuple[Callable[[str, bytes], bytes | None], str]] = {
    "a row changed": (
        lambda name, content: content.replace(b"ada@", b"eve@") if "accounts_person" in name else content,
        "accounts_person is not as it was written.",
    ),
    "a part gone": (lambda name, content: None if "auditevent" in name else content, "accounts_auditevent is not as"),
    "no totals": (lambda name, content: None if name == "totals.json" else content, "cut off"),
    "no row": (lambda name, content: b"[]\n" if "accounts_account/" in name else content, "0 values for"),
    "half a row": (lambda name, content: content[:-9] if "accounts_account/" in name else content, "is cut off"),
    "a newer format": (in_about(format=2), "not one that this build reads"),
    "another product": (in_about(product="x"), "not a backup of this product"),
    "a field too many": (in_about(more=1), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_named_and_restores_nothing(
    damage: str, source: Callable[[str], Path], installation: Callable[[str], Env], tmp_path: Path
) -> None:
    change, sentence = DAMAGES[damage]
    bad = damaged(source("sqlite"), tmp_path / "bad.tar", change)
    verified = manage(
        {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "backup", "--verify", bad
    )
    assert (verified.returncode, sentence in verified.stderr) == (1, True), verified.stderr
    env = installation("sqlite")
    Path(env["DATA_DIR"]).mkdir()
    done = manage(env, "restore", bad, "--keys", keys_of(source("sqlite")))
    assert (done.returncode, sentence in done.stderr, "Nothing was restored." in done.stderr) == (
        1,
        True,
        True,
    )
    assert manage(env, "restore", source("sqlite"), "--keys", keys_of(source("sqlite"))).returncode == 0


def test_a_cut_off_file_and_one_of_a_newer_build_are_named(
    source: Callable[[str], Path], installation: Callable[[str], Env], tmp_path: Path
) -> None:
    file, env = source("sqlite"), installation("sqlite")
    Path(env["DATA_DIR"]).mkdir()
    short = tmp_path / "short.tar"
    short.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "cut off" in manage(env, "backup", "--verify", short).stderr
    short.write_bytes(b"PK\x03\x04")
    assert "no tar archive" in manage(env, "backup", "--verify", short).stderr
    migrations = [*member(file, "backup.json")["migrations"], ["namespaces", "9999_of_a_newer_build"]]
    newer = damaged(file, tmp_path / "newer.tar", in_about(migrations=migrations, version="9.0"))
    done = manage(env, "restore", newer, "--keys", keys_of(file))
    assert "of another build, 9.0: this one does not know the migration namespaces.9999" in done.stderr


def test_keys_are_never_readable_beside_the_data(installation: Callable[[str], Env], tmp_path: Path) -> None:
    env = installation("sqlite")
    team.make(env, new=True)
    secrets = Path(env["DATA_DIR"]) / "secrets"
    secret = (secrets / "pepper-1.key").read_bytes()
    (secrets / "metrics.key").touch(0o600)
    (secrets / "metrics.key").write_text("m" * 64)
    phrase, wrong, file = tmp_path / "phrase", tmp_path / "wrong", tmp_path / "a.tar"
    phrase.write_text("correct horse battery\n")
    wrong.write_text("correct horse cattery\n")
    assert "has mode 0644" in manage(env, "backup", file, "--passphrase-file", phrase).stderr
    phrase.chmod(0o600)
    wrong.chmod(0o600)
    beside = manage(env, "backup", file, "--keys", tmp_path / "keys.tar")
    assert "do not belong beside the data" in beside.stderr
    assert not list(tmp_path.glob("*.tar"))
    assert manage(env, "backup", file, "--passphrase-file", phrase).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert secret not in file.read_bytes()
    assert "were not looked at" in manage(env, "backup", "--verify", file).stdout
    assert (
        "Its 8 keys can be read"
        in manage(env, "backup", "--verify", file, "--passphrase-file", phrase).stdout
    )
    empty = installation("sqlite")
    team.install(empty)
    assert "The keys are encrypted" in manage(empty, "restore", file).stderr
    assert (
        "The passphrase is another one." in manage(empty, "restore", file, "--passphrase-file", wrong).stderr
    )
    reachable = empty | {"WEBHOOK_NETWORKS": "10.1.0.0/16,fd12:3456::/48"}
    restored = manage(reachable, "restore", file, "--passphrase-file", phrase)
    assert "WEBHOOK_NETWORKS was '', and is '10.1.0.0/16, fd12:3456::/48'" in restored.stdout
    assert (Path(empty["DATA_DIR"]) / "secrets" / "pepper-1.key").read_bytes() == secret
    assert (Path(empty["DATA_DIR"]) / "secrets" / "metrics.key").read_text() == "m" * 64


def test_without_the_keys_of_its_rows_nothing_is_restored(
    source: Callable[[str], Path], installation: Callable[[str], Env]
) -> None:
    env = installation("sqlite")
    team.install(env)
    done = manage(env, "restore", source("sqlite"))
    assert "is not the one of this backup: passwords would not work. Nothing was restored." in done.stderr


OLDER = """
import sys
from pathlib import Path
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
call_command("migrate", "registry_sync", "0002", verbosity=0)
call_command("migrate", "namespaces", "0004", verbosity=0)
call_command("migrate", "accounts", "0006", verbosity=0)
executor = MigrationExecutor(connection)
targets = list(executor.loader.applied_migrations)
apps = executor.loader.project_state(targets).apps
person = apps.get_model("accounts", "Person").objects.create(email="ada@example.com", is_staff=True)
People = apps.get_model("accounts", "Person")
People.objects.create(email="gone@example.com").delete()
apps.get_model("accounts", "ApiToken").objects.create(person=person, name="old", digest="d", hint="h")
from manager.backup import archive, snapshot, tables
found = tables.tables(apps)
about = archive.About(version="0.0.9", made_at="2026-11-01T00:00:00+00:00", made_by="ada@old",
    database=connection.vendor,
    migrations=sorted(map(list, executor.loader.applied_migrations)),
    tables={each.name: [list(column) for column in each.columns] for each in found}, left_out=sorted(tables.LEFT_OUT),
    keys={}, settings={"PUBLIC_URL": "https://old.example"})
with open({file!r}, "wb") as file, snapshot.snapshot(connection):
    writer = archive.Writer(file, about)
    for each in found:
        writer.add_table(each.name, snapshot.rows(connection, each)).last_key = snapshot.last_key(connection, each)
    writer.close()
"""
NEWER = """
from accounts.models import ApiToken, IdTokenIssuer, Person
print("NEXT", Person.objects.create_user("next@example.com").pk)
print("TOKEN", *ApiToken.objects.values_list("name", "scope", "as_operator").get(), IdTokenIssuer.objects.count())
"""


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_of_an_earlier_schema_is_migrated_as_its_database_would_have_been(
    kind: str, installation: Callable[[str], Env], tmp_path: Path
) -> None:
    old, env, file = installation("sqlite"), installation(kind), tmp_path / "old.tar"
    folder = Path(old["DATA_DIR"])
    folder.mkdir()
    assert manage(old, "init_data_dir").returncode == 0
    team.shell(old, OLDER.replace("{file!r}", repr(str(file))))
    team.install(env)
    told = manage(env, "restore", file)
    assert told.returncode == 0, told.stderr
    assert "PUBLIC_URL was 'https://old.example', and is 'http://localhost:8000'" in told.stdout
    assert team.shell(env, NEWER).splitlines()[-2:] == ["NEXT 3", "TOKEN old manage True 4"]
    assert manage(env, "migrate", "--check").returncode == 0


def test_a_backup_that_cannot_be_written_leaves_nothing(
    installation: Callable[[str], Env], tmp_path: Path
) -> None:
    env = installation("sqlite")
    team.make(env, new=True)
    assert "There is no folder" in manage(env, "backup", tmp_path / "no" / "a.tar").stderr
    assert "is a folder; name a file." in manage(env, "backup", tmp_path).stderr
    assert manage(env, "migrate", "registry_sync", "0002").returncode == 0
    assert "Migrations have not been applied" in manage(env, "backup", tmp_path / "a.tar").stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_and_what_a_killed_backup_left_is_removed_by_the_next(
    installation: Callable[[str], Env], tmp_path: Path
) -> None:
    env, file = installation("sqlite"), tmp_path / "a.tar"
    team.make(env, new=True)
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "manage.py", "backup", "-"]
        done = subprocess.run(words, env=env, check=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (
        1,
        b"CommandError: The output cannot be written: No space left on device.\n",
    )
    code = KILLED_BACKUP.format(file=str(file))
    killed = manage(env, "shell", "--verbosity", "0", "--command", code)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [each.name[:7] for each in tmp_path.iterdir()] == [".a.tar."]
    assert manage(env, "backup", file).returncode == 0
    assert list(tmp_path.iterdir()) == [file]


def test_a_database_that_does_not_answer_is_told_in_a_sentence(
    installation: Callable[[str], Env], tmp_path: Path
) -> None:
    env, file = installation("sqlite"), tmp_path / "a.tar"
    team.make(env, new=True)
    with closing(sqlite3.connect(Path(env["DATA_DIR"]) / "db.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else can write
        done = manage(env | {"DJANGO_SETTINGS_MODULE": "manager.settings"}, "backup", file)
    assert done.stderr == (
        "CommandError: database is locked: the backup is whole, but the panel does not know of it.\n"
    )
    assert manage(env, "backup", "--verify", file).returncode == 0
    away = env | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    for words, end in (
        (("backup", tmp_path / "b.tar"), "No backup was made."),
        (("restore", file), "Nothing was restored."),
    ):
        done = manage(away, *words)
        (sentence,) = done.stderr.splitlines()
        assert sentence.startswith("CommandError: connection failed: ")
        assert sentence.endswith(end)
    assert list(tmp_path.iterdir()) == [file]


KILLED_BACKUP = """
import os, signal
from django.core.management import call_command
from manager.backup import making
making.last_key = lambda *_all: os.kill(os.getpid(), signal.SIGKILL)
call_command("backup", {file!r})
"""


def test_through_a_pipe_it_is_the_same(installation: Callable[[str], Env], tmp_path: Path) -> None:
    env, empty, file = installation("sqlite"), installation("sqlite"), tmp_path / "a.tar"
    team.make(env, new=True)
    phrase = tmp_path / "phrase"
    phrase.touch(0o600)
    phrase.write_text("correct horse battery")
    words = [sys.executable, "manage.py", "backup", "-", "--passphrase-file", str(phrase)]
    piped = subprocess.run(words, env=env, check=True, capture_output=True)
    assert b"rows of" in piped.stderr
    file.write_bytes(piped.stdout)
    assert manage(env, "backup", "--verify", file).returncode == 0
    team.install(empty)
    words[2] = "restore"
    restored = subprocess.run(words, env=empty, check=True, capture_output=True, input=piped.stdout)
    assert b"restored" in restored.stdout
