"""`make run` listens to who has its registry made read-only, and makes it writable again whatever ends."""

import os
from pathlib import Path
from queue import SimpleQueue

import pytest

from manager.standalone import read_only

PATIENCE = 120  # seconds; only what never happens takes so long


def test_a_holder_that_ended_before_anybody_listened_leaves_no_read_only_registry(tmp_path: Path) -> None:
    """A collection may outlive `make run`, and end while the next one starts."""
    assert not read_only.prepare(tmp_path)
    holder = os.open(tmp_path / read_only.REQUEST, os.O_RDWR)
    assert read_only.prepare(tmp_path)
    os.close(holder)
    switched = SimpleQueue[bool]()
    read_only.start_listening(tmp_path, lambda refuses: not switched.put(refuses), held=True)
    assert switched.get(timeout=PATIENCE) is False


def test_one_that_holds_it_still_is_waited_for(tmp_path: Path) -> None:
    read_only.prepare(tmp_path)
    holder = os.open(tmp_path / read_only.REQUEST, os.O_RDWR)
    switched = SimpleQueue[bool]()
    read_only.start_listening(tmp_path, lambda refuses: not switched.put(refuses), held=True)
    os.write(holder, b"n" * read_only.NONCE_BYTES)  # only who reads on takes that for a request
    assert switched.get(timeout=PATIENCE) is True
    os.close(holder)
    assert switched.get(timeout=PATIENCE) is False


@pytest.mark.parametrize("held", [False, True])
def test_it_becomes_writable_also_where_no_answer_can_be_written(tmp_path: Path, held: bool) -> None:
    read_only.prepare(tmp_path)
    (tmp_path / read_only.ANSWER).mkdir()  # as on a full disk: no file takes its place
    switched = SimpleQueue[bool]()
    holder = os.open(tmp_path / read_only.REQUEST, os.O_RDWR)
    read_only.start_listening(tmp_path, lambda refuses: not switched.put(refuses), held=held)
    os.write(holder, b"n" * read_only.NONCE_BYTES)
    assert switched.get(timeout=PATIENCE) is True
    os.close(holder)
    assert switched.get(timeout=PATIENCE) is False
