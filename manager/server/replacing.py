"""How the workers of a server are replaced: each serves until its successor does, however long that takes to start.

Granian ends the old one after a fixed pause, whether or not the new one serves, and ends the whole server where a
worker that has died cannot be replaced at once.
"""

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from granian.server.mp import MPServer, WorkerProcess

START_SECONDS = 120  # until one that does not come to serve is given up
END_SECONDS = 60  # until one that has a successor is killed: nobody waits for its end
RETRY_SECONDS = 5  # until one that has died is tried again
_LOOK = 0.2  # seconds between two looks whether the server shall end
log = logging.getLogger("_granian")  # the server's own, which is set up before ours


class Server(MPServer):
    """Its loader of the application gets `serving` too: a connection to which it sends once it serves."""

    def _respawn_workers(
        self, workers: Iterable[int], spawn_target: Any, target_loader: Callable[..., Any], delay: float = 0
    ) -> None:
        """Replace these: on SIGHUP, and where one has died."""
        for index in workers:
            successor = self._successor(index, spawn_target, target_loader)
            if successor:
                old, self.wrks[index] = self.wrks[index], successor
                self._end(old)
            elif self.interrupt_signal:
                return
            elif _is_alive(self.wrks[index]):
                log.critical("what is installed now cannot start; the workers that serve go on")
                return
            elif any(map(_is_alive, self.wrks)):
                log.critical("a worker has died, and no other can start; the rest goes on")
                again = threading.Timer(RETRY_SECONDS, self._note_death, [index])
                again.daemon = True
                again.start()
            else:
                self.respawned_wrks[index] = time.monotonic()  # the server ends: none is left
                self._note_death(index)

    def _successor(
        self, index: int, spawn_target: Any, target_loader: Callable[..., Any]
    ) -> WorkerProcess | None:
        """Return one that serves, or None if none comes to."""
        reading, writing = multiprocessing.Pipe(duplex=False)
        found: Any = self._spawn_worker(index, spawn_target, partial(target_loader, serving=writing))
        found.interrupt_by_parent = True  # its end is no death until then
        found.start()
        writing.close()  # so that its end is seen as the end of what can be read
        with reading:
            serves = self._hears(reading)
        if serves:
            found.interrupt_by_parent = False
            return found if _is_alive(found) else None
        found.kill()
        found.join()
        return None

    def _hears(self, reading: Connection) -> bool:
        until = time.monotonic() + START_SECONDS
        while not reading.poll(_LOOK):
            if self.interrupt_signal or time.monotonic() > until:
                return False
        try:
            reading.recv_bytes()
        except EOFError:
            return False
        return True

    def _end(self, old: Any) -> None:
        until = time.monotonic() + END_SECONDS
        old.terminate()
        while _is_alive(old) and not self.interrupt_signal and time.monotonic() < until:
            old.join(_LOOK)
        if _is_alive(old) and self.interrupt_signal:
            self.wrks.append(old)  # ends with the others
        elif _is_alive(old):
            old.kill()
            old.join()

    def _note_death(self, index: int) -> None:
        self.interrupt_children.append(index)
        self.main_loop_interrupt.set()


def _is_alive(worker: Any) -> bool:
    return bool(worker.is_alive())
