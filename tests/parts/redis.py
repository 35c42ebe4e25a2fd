"""A Redis server of our own, kept in memory only."""

from dataclasses import dataclass
from pathlib import Path

from tests.parts import certificates, install, processes


@dataclass
class RunningRedis:
    """`stop()` and `restart()` play an outage: same port, and nothing of the data is left afterwards."""

    port: int
    folder: Path
    options: list[str]
    process: processes.Running

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.stop()

    def restart(self) -> None:
        self.stop()
        self.process = _serve(self.port, self.folder, self.options)


def start(folder: Path, *, config: Path | None = None, tls: certificates.Files | None = None) -> RunningRedis:
    """With `config` as its configuration; with `tls` it speaks nothing else."""
    port = processes.free_port()
    options = [str(config)] if config else []
    if tls:
        files = ["--tls-cert-file", str(tls.certificate), "--tls-key-file", str(tls.key)]
        options += ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no", *files]
    else:
        options += ["--port", str(port)]
    return RunningRedis(port, folder, options, _serve(port, folder, options))


def _serve(port: int, folder: Path, options: list[str]) -> processes.Running:
    memory_only = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    command = [install.program("redis-server"), *options, *memory_only]
    server = processes.start("redis", command, log=folder / "redis.log")
    server.wait_until(lambda: processes.tcp_answers(port), f"open port {port}")
    return server
