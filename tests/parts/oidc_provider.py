"""A real OpenID Connect provider: npm's oidc-provider, as its authors certify it, over claims that a test sets.

    with running(folder, redirect_uri="http://localhost:8000/me/oidc/sso/login/callback/") as provider:
        provider.person("ann", email="ann@example.com", email_verified=True, groups=["team"])

Whoever types `ann` as login and anything as password, is ann. `environment` is what the panel's settings take.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from tests.parts import install, processes

CLIENT_ID = "panel"
CLIENT_SECRET = "of a test, and of nobody else"


@dataclass(frozen=True)
class RunningProvider:
    issuer: str
    process: processes.Running

    def person(self, subject: str, **claims: Any) -> None:
        """Say from now on who `subject` is."""
        requests.put(f"{self.issuer}/test/people/{subject}", json=claims, timeout=120).raise_for_status()

    def sign_in(self, url: str, subject: str, browser: requests.Session | None = None) -> str:
        """Do what a person does at the page of `url`, and return the address that they are sent back to.

        A `browser` that has signed in there is asked for nothing again, but with `prompt=login`.
        """
        browser = browser or requests.Session()
        answer = browser.get(url, allow_redirects=False, timeout=120)
        while True:
            if answer.is_redirect:
                there = urljoin(answer.url, answer.headers["Location"])
                if not there.startswith(self.issuer):
                    return there
                answer = browser.get(there, allow_redirects=False, timeout=120)
            else:
                action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
                assert action, answer.text
                form = {"prompt": "login", "login": subject, "password": "any"}
                answer = browser.post(action[1], form, allow_redirects=False, timeout=120)


def environment(port: int) -> dict[str, str]:
    """Return what a panel needs that signs people in at the provider that will be on `port`."""
    return {
        "OIDC_ISSUER": f"http://localhost:{port}",
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "OIDC_SCOPES": "openid profile email groups",
        "OIDC_NAME": "Example ID",
    }


@contextmanager
def running(folder: Path, *, redirect_uri: str, port: int | None = None) -> Iterator[RunningProvider]:
    """Start it on `port`, or a free one; a later one on the same port knows nobody."""
    port = port or processes.free_port()
    home, log = install.installed("oidc-provider"), folder / "oidc-provider.log"
    assert home
    process = processes.start(
        "oidc-provider",
        [install.program("node"), home / "provider.mjs"],
        log=log,
        cwd=home,
        env={
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "REDIRECT_URI": redirect_uri,
        },
    )
    try:
        process.wait_until(lambda: "ready at" in log.read_text(), "a line that says ready")
        yield RunningProvider(f"http://localhost:{port}", process)
    finally:
        process.stop()
