"""A whole installation of any tree of the product, filled and running, and what its clients need to know of it."""

import base64
import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.load import sync
from tests.load.usage import cpu
from tests.parts import images, install, processes

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY, TAGS_OF_ONE = 100, 10_000, 500
ONE, OTHER = images.Image(), images.Image(env=["A=1"])
# By the tree's own code, whatever its services are called.
WORLD = "import os; from tests.parts import team; print(*team.make(os.environ))"
SESSION = """
from django.conf import settings
from django.test import Client
from accounts.models import Person
browser = Client()
browser.force_login(Person.objects.get(email="ada@example.com"))
print("MADE", f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}")
"""


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), revision], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def python(tree: Path) -> str:
    """Return the interpreter of a tree: an older one may need packages that are no longer here."""
    return sys.executable if tree == ROOT else os.environ.get("BASE_PYTHON") or sys.executable


@dataclass(frozen=True)
class Panel:
    """`cookie` is of a person who signed in; the user may push to all of the namespace `team`."""

    tree: Path
    data: Path
    pid: int
    port: int
    token_port: int  # the panel's, where no other answers
    registry_port: int
    username: str
    password: str
    api_token: str
    cookie: str

    @property
    def tokens_apart(self) -> bool:
        """Whether the tree has a process of its own for tokens."""
        return self.token_port != self.port

    @property
    def light_page(self) -> str:
        return "/a/team/users/"

    @property
    def image_page(self) -> str:
        return "/a/team/n/team/i/app/"

    @property
    def heavy_pages(self) -> list[str]:
        """The lists, and what is made of many rows."""
        return [
            self.image_page, f"{self.image_page}?sort=name&q=v1", f"{self.image_page}-/delete-preview/",
            f"{self.image_page}-/history/", f"{self.image_page}-/access/", f"{self.image_page}-/tags/v1/",
            "/a/team/images/", "/a/team/n/team/", "/a/team/usage/", "/a/team/search/?q=image", "/a/team/activity/",
        ]  # fmt: skip

    @property
    def token_request(self) -> str:
        basic = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        path = f"/auth/token?service=localhost:{self.registry_port}&scope=repository:team/app:pull"
        return request("GET", path, Authorization=f"Basic {basic}")

    @property
    def hook_key(self) -> str:
        return (self.data / "secrets" / "hook.key").read_text().strip()

    def page_request(self, path: str, **headers: str) -> str:
        return request("GET", path, Cookie=self.cookie, **headers)

    def get(self, path: str) -> requests.Response:
        return requests.get(
            f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": self.cookie}, timeout=60
        )

    def cost(self, path: str, batches: int = 5) -> float:
        """The seconds that a processor works for the page, in the batch with the least other work of the panel's."""
        return min(self._batch(path, 10) for _batch in range(batches))

    def _batch(self, path: str, pages: int) -> float:
        before = cpu(self.pid)
        for _page in range(pages):
            self.get(path).raise_for_status()
        return (cpu(self.pid) - before) / pages

    def news_path(self) -> str:
        """What the open page of an image asks for, as the page itself says."""
        found = re.search(r'"([^"]*/-/updates/[^"]*)"', self.get(self.image_page).text)
        assert found, "the page of an image asks for no news"
        return html.unescape(found[1])

    def pages_back_off(self) -> bool:
        """Whether a page on which nothing happens asks ever less."""
        script = self.tree / "static" / "asking.js"
        return script.exists() and "30000" in script.read_text()

    def fill(self) -> None:
        """Each further repository is a link to the first: the registry follows it, and a million files are spared."""
        team = _storage(self.data) / "repositories" / "team"
        for number in range(FEW, MANY):
            (team / f"image{number}").symlink_to(team / "image0")

    def ask_for_a_check(self) -> None:
        done = requests.post(
            f"http://127.0.0.1:{self.port}/api/v1/accounts/team/sync/",
            headers={"Authorization": f"Bearer {self.api_token}"},
            timeout=60,
        )
        done.raise_for_status()

    def checked(self) -> int:
        """Percent of the check that waits or runs; 100 when there is none."""
        answer = self.get("/api/v1/sync/")
        answer.raise_for_status()
        newest = answer.json()["recent_runs"][0]
        return 100 if newest["finished_at"] else int(newest["progress_percent"])


@contextmanager
def running(tree: Path, folder: Path) -> Iterator[Panel]:
    """`manage.py run`, once the first check has read what the registry holds."""
    ports = {name: int(port) for name, port in processes.ports().items()}
    data = folder / "data"
    # A client's address is what a proxy says it is: so a few machines' worth of clients fit on one.
    settings = {
        "DATA_DIR": str(data),
        "SYNC_INTERVAL_SECONDS": "86400",
        "LOG_LEVEL": "ERROR",
        "API_CALLS_PER_MINUTE": "0",
        "TRUSTED_PROXY_COUNT": "1",
    }
    registry = install.built("registry 3.1")
    path = f"{registry.parent}{os.pathsep}{os.environ['PATH']}" if registry else os.environ["PATH"]
    env = os.environ | settings | {name: str(port) for name, port in ports.items()} | {"PATH": path}
    for words in (["init_data_dir"], ["migrate", "--verbosity", "0"]):
        _python(tree, env, "manage.py", *words)
    username, password, api_token = _python(tree, env, "-c", WORLD).split()
    cookie = _python(tree, env, "manage.py", "shell", "--verbosity", "0", "--command", SESSION).split(
        "MADE "
    )[1]
    _first_images(_storage(data))
    log = folder / "run.log"
    server = processes.start("make run", [python(tree), "manage.py", "run"], log=log, env=env, cwd=tree)
    try:
        server.wait_until(lambda: "ready:" in log.read_text(), "say ready", seconds=90)
        apart = processes.tcp_answers(ports["TOKEN_PORT"])
        panel = Panel(
            tree=tree, data=data, pid=server.popen.pid,
            port=ports["PORT"], token_port=ports["TOKEN_PORT" if apart else "PORT"],
            registry_port=ports["REGISTRY_PORT"],
            username=username, password=password, api_token=api_token, cookie=cookie.strip(),
        )  # fmt: skip
        panel.ask_for_a_check()
        tag = f"/api/v1/accounts/team/namespaces/team/images/app/-/tags/v{TAGS_OF_ONE - 1}/"
        server.wait_until(lambda: _listed(panel, tag), "first check", seconds=90)
        yield panel
    finally:
        server.stop(30)


def _listed(panel: Panel, tag: str) -> bool:
    try:
        return panel.get(tag).ok
    except requests.ConnectionError:  # it has ended; whoever waits says with which words
        return False


def _storage(data: Path) -> Path:
    return data / "registry" / "docker/registry/v2"


def _first_images(storage: Path) -> None:
    sync.fill(storage, FEW, ONE, OTHER, namespace="team")
    sync.repository(storage / "repositories" / "team" / "app", TAGS_OF_ONE, ONE, OTHER)


def _python(tree: Path, env: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [python(tree), *words], env=env, cwd=tree, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{words[:2]} in {tree} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def request(method: str, path: str, body: str = "", **headers: str) -> str:
    """A whole HTTP request. Headers with `_` for `-`."""
    return beginning(method, path, len(body) if body else 0, **headers) + body


def beginning(method: str, path: str, length: int, **headers: str) -> str:
    """All of a request but its body, which is to have this length."""
    named = {"Host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
    if length:
        named["Content-Length"] = str(length)
    return f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in named.items()) + "\r\n"
