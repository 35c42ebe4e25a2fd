"""The proxies that stand in front of the panel, with the configuration that the product ships."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.parts import certificates, install, processes

ROOT = install.ROOT
NGINX = "deploy/nginx/registry-manager.conf"
CADDY = {"caddy": "Caddyfile", "caddy of machines": "deploy/caddy/Caddyfile"}
PROXIES = ("caddy", "nginx")
OF_MACHINES = ("caddy of machines", "nginx")  # which may have several upstreams of each kind
PORTS = {"web": 8000, "tokens": 8001, "registry": 5000}  # in nginx's file
Change = Callable[[str], str]  # of the whole configuration


@dataclass(frozen=True)
class Upstreams:
    """Ports on this machine, of each node one; a registry that nobody asks may be missing."""

    web: int | tuple[int, ...]
    tokens: int | tuple[int, ...]
    registry: int | tuple[int, ...] = 9

    def addresses(self, service: str) -> list[str]:
        ports = getattr(self, service)
        return [f"127.0.0.1:{port}" for port in ([ports] if isinstance(ports, int) else ports)]


def start(
    name: str, folder: Path, upstreams: Upstreams, change: Change = lambda text: text
) -> tuple[processes.Running, int]:
    """The proxy and its port. It speaks plain HTTP, and tells the panel what it would tell with TLS."""
    port = processes.free_port()
    if name == "nginx":
        file = folder / "nginx.conf"
        file.write_text(change(nginx_text(folder, plain(port), upstreams)))
        command = [install.program("nginx"), "-c", str(file), "-p", str(folder)]
        running = processes.start(name, command, log=folder / "nginx.log", cwd=folder)
    else:
        running = _caddy(name, folder, port, upstreams, change)
    running.wait_until(lambda: processes.tcp_answers(port), f"open port {port}")
    return running, port


def start_tls(folder: Path, port: int, upstreams: Upstreams) -> processes.Running:
    """nginx as it is shipped, with the certificate of that folder (certificates.make)."""
    file = folder / "nginx.conf"
    file.write_text(nginx_text(folder, with_certificate(folder, port), upstreams))
    command = [install.program("nginx"), "-c", str(file), "-p", str(folder)]
    running = processes.start("nginx", command, log=folder / "nginx.log", cwd=folder)
    running.wait_until(lambda: processes.tcp_answers(port), f"open port {port}")
    return running


def _caddy(name: str, folder: Path, port: int, upstreams: Upstreams, change: Change) -> processes.Running:
    """Services of compose.yaml have ports here instead of names."""
    text = (ROOT / CADDY[name]).read_text()
    for service in PORTS:
        text = re.sub(rf"{service}:\d+", " ".join(upstreams.addresses(service)), text)
    file = folder / "Caddyfile"
    file.write_text(change(text))
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    env = home | {
        "CADDY_ADMIN": f"127.0.0.1:{processes.free_port()}",
        "SITES": f"http://localhost:{port}, http://127.0.0.1:{port}",
        "TLS": "",
        "WEB": " ".join(upstreams.addresses("web")),
        "TOKENS": " ".join(upstreams.addresses("tokens")),
        "REGISTRIES": " ".join(upstreams.addresses("registry")),
    }
    command = [str(install.built("caddy")), "run", "--config", str(file), "--adapter", "caddyfile"]
    return processes.start("caddy", command, log=folder / "caddy.log", env=env, cwd=folder)


def plain(port: int) -> Change:
    return lambda block: re.sub(r"\n *ssl_certificate.*;", "", block).replace(
        "listen 443 ssl;", f"listen 127.0.0.1:{port};"
    )


def with_certificate(folder: Path, port: int) -> Change:
    files = certificates.kept(folder)
    return lambda block: (
        block.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
        .replace("/etc/ssl/registry.example.com.crt", str(files.certificate))
        .replace("/etc/ssl/private/registry.example.com.key", str(files.key))
    )


def nginx_text(folder: Path, change: Change, upstreams: Upstreams, root: Path = ROOT) -> str:
    """The file that is shipped, between the least that nginx needs around it."""
    block = (root / NGINX).read_text()
    for service, port in PORTS.items():
        addresses = upstreams.addresses(service)
        block, count = re.subn(
            rf"^ *server 127\.0\.0\.1:{port}(.*;)\n",
            lambda line: "".join(f"    server {each}{line[1]}\n" for each in addresses),  # noqa: B023 (called at once)
            block,
            flags=re.MULTILINE,
        )
        assert count, f"{NGINX} has no upstream {service}"
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"daemon off;\n{user}pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{temporary}{change(block)}\n}}\n"
    )
