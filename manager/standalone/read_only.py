"""How `manage.py reclaim` has `make run` make its registry read-only, and how it becomes writable again whatever ends.

Through a named pipe in the data folder. While anybody holds it open for writing, the registry is read-only: `reclaim`,
and the garbage collection that it started and that inherits it. When both have ended, however they did, the system
closes it, and `make run` restarts the registry writable. A `make run` that starts meanwhile starts it read-only.
"""

import errno
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from accounts.common import secret_files

REQUEST, ANSWER = "read-only.request", "read-only.answer"
NONCE_BYTES = 32  # less than a pipe takes in one piece
ANSWER_SECONDS = 60
POLL_SECONDS = 0.1
RETRY_SECONDS = 5  # where the disk is full, say, and the configuration could not be written

log = logging.getLogger(__name__)


class NotRunning(Exception):
    """No `make run` listens on this data folder."""


def prepare(folder: Path) -> bool:
    """Make the pipe. Return whether somebody holds it already, so that the registry must start read-only."""
    path = folder / REQUEST
    with suppress(FileExistsError):
        os.mkfifo(path, mode=0o600)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        # What was asked there was asked of a run that has ended: nobody gets an answer to it.
        return bool(os.read(reader, NONCE_BYTES))
    except BlockingIOError:
        return True
    finally:
        os.close(reader)


def listen(folder: Path, switch: Callable[[bool], bool], *, held: bool) -> None:
    """Block for ever: call `switch` with True when somebody asks, and with False when nobody holds the pipe.

    It returns whether it could. `held`: somebody did when this began, and the registry is read-only already.
    """
    read_only = held
    while True:
        with _opened(folder / REQUEST, wait=not read_only) as requests:
            while nonce := requests.read(NONCE_BYTES):
                # Whoever was answered before has ended. The registry is restarted also if it is read-only already:
                # so an answer says that it was made so for this request.
                read_only = True
                if switch(True):
                    _answer(folder, nonce)
        while read_only and not switch(False):
            time.sleep(RETRY_SECONDS)
        read_only = False


def _opened(pipe: Path, *, wait: bool) -> FileIO:
    """Return the reading end: with `wait` once somebody opens the other, else at once, at its end if nobody holds it.

    Who held it when `make run` began may have ended before anybody listens.
    """
    reader = os.open(pipe, os.O_RDONLY | (0 if wait else os.O_NONBLOCK))
    os.set_blocking(reader, True)
    return FileIO(reader)


def _answer(folder: Path, nonce: bytes) -> None:
    """Where it cannot be written, whoever asked gives up after a while. That must not end who listens."""
    try:
        secret_files.replace(folder / ANSWER, nonce)
    except OSError as error:
        log.warning("the answer that the registry is read-only cannot be written: %s", error)


def start_listening(folder: Path, switch: Callable[[bool], bool], *, held: bool) -> None:
    thread = threading.Thread(target=listen, args=(folder, switch), kwargs={"held": held}, daemon=True)
    thread.name = "read-only"
    thread.start()


@contextmanager
def hold(folder: Path, alive: Callable[[], None]) -> Iterator[int]:
    """Have the registry made read-only while this lasts; yield what a garbage collection must inherit.

    `alive` is called while it waits. Raise NotRunning, also where nobody answers. Whether the registry then refuses
    pushes, the caller must see for itself.
    """
    try:
        pipe = os.open(folder / REQUEST, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENOENT):
            raise NotRunning(f"No `make run` of this version runs on {folder}.") from error
        raise
    try:
        nonce = secrets.token_hex(NONCE_BYTES // 2).encode()
        os.write(pipe, nonce)
        end = time.monotonic() + ANSWER_SECONDS
        while not _answered(folder, nonce):
            if time.monotonic() > end:
                raise NotRunning(f"`make run` on {folder} did not make the registry read-only.")
            alive()
            time.sleep(POLL_SECONDS)
        yield pipe
    finally:
        os.close(pipe)


def is_listening(folder: Path) -> bool:
    """Whether a `make run` of this data folder would hear a request."""
    try:
        os.close(os.open(folder / REQUEST, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def _answered(folder: Path, nonce: bytes) -> bool:
    try:
        return (folder / ANSWER).read_bytes() == nonce
    except FileNotFoundError:
        return False
