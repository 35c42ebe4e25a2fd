"""Each process of a server has a file; a scrape adds them up, whichever process it meets."""

import json
from pathlib import Path

import pytest

from accounts.common.counts import Counter
from manager.metrics import snapshots
from manager.metrics.snapshots import Snapshots


@pytest.fixture
def things() -> Counter:
    return begun()


def begun() -> Counter:
    return Counter("things_total", "Things.", label="kind", values=("good", "other"), among=[])


def good(found: Snapshots) -> float:
    ((_counter, sums),) = found.totals()
    return sums["good"][0]


def of_another(folder: Path, number: int) -> None:
    (folder / "1-abcd.json").write_text(json.dumps({"things_total": {"good": [number], "other": [0]}}))


def test_processes_are_added_up(tmp_path: Path, things: Counter) -> None:
    own = Snapshots(tmp_path, [things])
    things.add("good", 3)
    of_another(tmp_path, 40)
    assert good(own) == 43
    of_another(tmp_path, 41)
    assert good(own) == 44


def test_what_was_shown_is_what_others_find(tmp_path: Path, things: Counter) -> None:
    """Else the next scrape, which meets another process, finds less: as after a restart."""
    things.add("good", 3)
    shown = good(Snapshots(tmp_path, [things]))
    (file,) = tmp_path.glob("*.json")
    assert json.loads(file.read_text())["things_total"]["good"] == [shown]


def test_a_process_that_ended_still_counts(tmp_path: Path, things: Counter) -> None:
    things.add("good", 3)
    Snapshots(tmp_path, [things]).write()  # its last word
    things = begun()  # by the one that takes its place
    things.add("good")
    assert good(Snapshots(tmp_path, [things])) == 4


def test_half_a_file_and_drafts_are_left_out(tmp_path: Path, things: Counter) -> None:
    things.add("good")
    (tmp_path / "1-abcd.json").write_text('{"things_total": {"go')
    (tmp_path / "2-abcd.draft").write_text('{"things_total": {"good": [5]}}')
    assert good(Snapshots(tmp_path, [things])) == 1


def test_without_a_folder_a_process_tells_of_itself(things: Counter, tmp_path: Path) -> None:
    things.add("good", 2)
    assert good(Snapshots(None, [things])) == 2
    assert good(Snapshots(tmp_path / "gone", [things])) == 2


def test_a_full_disk_is_said_once(things: Counter, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    failing = Snapshots(tmp_path / "gone", [things])
    for _time in range(3):
        things.add("good")
        failing.write()
    assert [record.getMessage() for record in caplog.records] == [
        "counts are not written: No such file or directory"
    ]


def test_nothing_is_written_while_nothing_happens(tmp_path: Path, things: Counter) -> None:
    things.add("good")
    own = Snapshots(tmp_path, [things])
    own.write()
    (file,) = tmp_path.glob("*.json")
    file.unlink()
    own.write()
    assert list(tmp_path.iterdir()) == []


def test_the_server_tells_its_processes_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert snapshots.folder() is None
    monkeypatch.setenv(snapshots.FOLDER, str(tmp_path))
    assert snapshots.folder() == tmp_path
