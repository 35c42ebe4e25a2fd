"""Two machines whose keys differ are noticed by what their workers note; a new key on all of them is no trouble."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from registry_sync import shared_keys
from registry_sync.doctor import local
from registry_sync.doctor.result import State
from registry_sync.models import Marker

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def keys(tmp_path: Path, settings: Any) -> Path:
    settings.SECRETS_DIR = tmp_path
    for name in ("django.key", "pepper-1.key"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_the_same_keys_are_the_same_on_any_machine(keys: Path) -> None:
    shared_keys.note(NOW, machine="first")
    (keys / "leaf.pem").write_text("may be each machine's own")
    shared_keys.note(NOW, machine="second")
    assert shared_keys.by_machine(NOW).keys() == {"first", "second"}
    assert local.machine_keys(NOW).state is State.OK


@pytest.mark.parametrize("change", ["another", "one more", "one less"])
def test_other_keys_are_noticed(keys: Path, change: str) -> None:
    shared_keys.note(NOW, machine="first")
    match change:
        case "another":
            (keys / "django.key").write_text("made here")
        case "one more":
            (keys / "pepper-2.key").write_text("made here")
        case _:
            (keys / "pepper-1.key").unlink()
    shared_keys.note(NOW, machine="second")
    found = local.machine_keys(NOW)
    assert found.state is State.FAIL
    assert "first" in str(found.text)
    assert "second" in str(found.text)


def test_a_new_key_that_came_to_all_is_no_trouble(keys: Path) -> None:
    for machine in ("first", "second"):
        shared_keys.note(NOW, machine=machine)
    (keys / "pepper-2.key").write_text("copied to both")
    for machine in ("first", "second"):
        shared_keys.note(LATER, machine=machine)
    assert local.machine_keys(LATER).state is State.OK


def test_a_machine_that_is_gone_is_forgotten(keys: Path) -> None:
    shared_keys.note(NOW, machine="gone")
    late = NOW + shared_keys.SEEN + timedelta(seconds=1)
    (keys / "django.key").write_text("made since")
    shared_keys.note(late, machine="here")
    assert list(shared_keys.by_machine(late)) == ["here"]
    shared_keys.forget(late)
    assert [name.split(":")[2] for name in Marker.objects.values_list("name", flat=True)] == ["here"]


def test_keys_that_cannot_be_read_are_for_others_to_say(keys: Path) -> None:
    (keys / "django.key").unlink()
    (keys / "django.key").mkdir()
    shared_keys.note(NOW)
    assert local.machine_keys(NOW).state is State.SKIPPED


def test_no_key_stands_in_the_note(keys: Path) -> None:
    shared_keys.note(NOW)
    name = Marker.objects.get().name
    assert len(name) <= 40
    assert "django" not in name
