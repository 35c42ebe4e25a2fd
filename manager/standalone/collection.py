"""The registry's garbage collection where `make run` keeps the registry: planned, run while read-only, measured."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings

from manager.standalone import read_only, registry
from manager.standalone.data_dir import config_folder, registry_folder
from registry_sync.client import RegistryClient
from registry_sync.reclaim import gc_output, storage, writes
from registry_sync.reclaim.gc_output import Eligible
from registry_sync.reclaim.writes import Writes

POLL_SECONDS = 0.2
SWITCH_SECONDS = 60  # that the registry may take until it answers again
QUIET_SECONDS = 10  # without a byte of any upload, and nobody pushes
Alive = Callable[[], None]


class CollectionError(Exception):
    """It did not work; the message says why."""


@dataclass(frozen=True, slots=True)
class Collector:
    """`alive` is called all the while; when it raises, what was begun is ended."""

    commands: registry.Commands
    registry: RegistryClient
    alive: Alive
    delete_untagged: bool = False
    root: Path = field(default_factory=registry_folder)

    def version(self) -> int:
        """Return the registry's major version, 0 where it does not say it."""
        done = subprocess.run(  # noqa: S603 (our own commands)
            [*self.commands.other, "--version"],
            check=False,
            capture_output=True,
            text=True,
            env=registry.environment(),
        )
        return gc_output.major_version(done.stdout)

    def plan(self) -> Eligible:
        """Return what it would delete. Raise CollectionError."""
        with self._run("--dry-run", inherited=()) as printed:
            return _parsed(printed)

    def collect(self, pipe: int) -> None:
        """Delete it. The process holds the pipe, so that the registry stays read-only while it works."""
        with self._run(inherited=(pipe,)) as printed:
            _parsed(printed)

    def promised(self, eligible: Eligible) -> dict[str, int]:
        return storage.blob_bytes(self.root, eligible.blobs, self.alive)

    def stored_bytes(self) -> int:
        return storage.total_bytes(self.root, self.alive)

    def uploads(self) -> list[str]:
        return storage.uploads(self.root, within=QUIET_SECONDS, alive=self.alive)

    def wait_until_writes_are(self, wanted: Writes) -> bool:
        """Return False when the registry did not come to it in time."""
        end = time.monotonic() + SWITCH_SECONDS
        while writes.ask(self.registry) is not wanted:
            if time.monotonic() > end:
                return False
            self.alive()
            time.sleep(POLL_SECONDS)
        return True

    @contextmanager
    def read_only(self) -> Iterator[int]:
        """Yield the pipe while the registry refuses pushes. Raise CollectionError."""
        try:
            with read_only.hold(Path(settings.DATA_DIR), self.alive) as pipe:
                if not self.wait_until_writes_are(Writes.REFUSED):
                    raise CollectionError("The registry takes pushes although it was made read-only.")
                yield pipe
        except read_only.NotRunning as error:
            raise CollectionError(str(error)) from error

    @contextmanager
    def _run(self, *options: str, inherited: Collection[int]) -> Iterator[IO[str]]:
        """Yield what it printed to the end. In a file: it prints a line for each blob that the registry holds."""
        flags = (*options, *(("--delete-untagged",) if self.delete_untagged else ()))
        config = str(config_folder() / "registry.yml")
        with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(  # noqa: S603 (our own commands)
                [*self.commands.other, "garbage-collect", *flags, config],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=errors,
                env=registry.environment(),
                pass_fds=inherited,
            )
            try:
                while process.poll() is None:
                    self.alive()
                    time.sleep(POLL_SECONDS)
            finally:
                process.terminate()
                process.wait()
            if process.returncode:
                errors.seek(0)
                raise CollectionError(f"The registry's garbage-collect failed: {_last_line(errors)}")
            printed.seek(0)
            yield printed


def _parsed(printed: IO[str]) -> Eligible:
    try:
        return gc_output.parse(printed)
    except gc_output.Unreadable as error:
        raise CollectionError(
            f"The output of the registry's garbage-collect cannot be used: {error}."
        ) from error


def _last_line(errors: IO[str]) -> str:
    """Return what it ended with; its command prints how it is used after that."""
    lines = [line.strip() for line in errors if line.strip()]
    named = [line for line in lines if "fail" in line.lower() or "error" in line.lower()]
    return (named or lines or ["without a word"])[-1][:500]
