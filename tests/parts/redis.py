"""A Redis server of our own, kept in memory only."""

from dataclasses import dataclass
from pathlib import Path

from tests.parts import install, processes


@dataclass
class RunningRedis:
    """`stop()` and `restart()` play an outage: same port, and nothing of the data is left afterwards."""

    port: int
    folder: Path
    process: processes.Running

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.stop()

    def restart(self) -> None:
        self.stop()
        self.process = _serve(self.port, self.folder)


def start(folder: Path) -> RunningRedis:
    port = processes.free_port()
    return RunningRedis(port, folder, _serve(port, folder))


def _serve(port: int, folder: Path) -> processes.Running:
    command = [install.program("redis-server"), "--bind", "127.0.0.1", "--port", str(port)]
    memory_only = ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    server = processes.start("redis", [*command, *memory_only], log=folder / "redis.log")
    server.wait_until(lambda: processes.tcp_answers(port), f"open port {port}")
    return server
