"""The proxies that stand in front of the panel, with the configuration that the product ships or documents."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.parts import install, processes

ROOT = install.ROOT
PROXIES = ("caddy", "nginx")
Change = Callable[[str], str]  # of the whole configuration


@dataclass(frozen=True)
class Upstreams:
    """Ports on this machine; a registry that nobody asks may be missing."""

    web: int
    tokens: int
    registry: int = 9


def start(
    name: str, folder: Path, upstreams: Upstreams, change: Change = lambda text: text
) -> tuple[processes.Running, int]:
    """The proxy and its port. It speaks plain HTTP, and tells the panel what it would tell with TLS."""
    port = processes.free_port()
    running = (_caddy if name == "caddy" else _nginx)(folder, port, upstreams, change)
    running.wait_until(lambda: processes.tcp_answers(port), f"open port {port}")
    return running, port


def _caddy(folder: Path, port: int, upstreams: Upstreams, change: Change) -> processes.Running:
    """The shipped Caddyfile; its services have ports here instead of names."""
    text = (ROOT / "Caddyfile").read_text()
    for service in ("web", "tokens", "registry"):
        text = re.sub(rf"{service}:\d+", f"127.0.0.1:{getattr(upstreams, service)}", text)
    file = folder / "Caddyfile"
    file.write_text(change(text))
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    env = home | {
        "CADDY_ADMIN": f"127.0.0.1:{processes.free_port()}",
        "SITES": f"http://localhost:{port}, http://127.0.0.1:{port}",
        "TLS": "",
    }
    command = [str(install.built("caddy")), "run", "--config", str(file), "--adapter", "caddyfile"]
    return processes.start("caddy", command, log=folder / "caddy.log", env=env, cwd=folder)


def _nginx(folder: Path, port: int, upstreams: Upstreams, change: Change) -> processes.Running:
    """The block of docs/operations.md, between the least that nginx needs around it."""
    found = re.search(r"```\n(server \{.*?\n\})\n```", (ROOT / "docs/operations.md").read_text(), re.DOTALL)
    assert found, "docs/operations.md shows no server block"
    block = found[1].replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    for documented, service in (("8000", "web"), ("8001", "tokens"), ("5000", "registry")):
        block = block.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{getattr(upstreams, service)}")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    whole = (
        f"daemon off;\nuser root;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{temporary}{block}\n}}\n"
    )
    file.write_text(change(whole))
    command = [install.program("nginx"), "-c", str(file), "-p", str(folder)]
    return processes.start("nginx", command, log=folder / "nginx.log", cwd=folder)
