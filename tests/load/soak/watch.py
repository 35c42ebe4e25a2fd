"""Looks at the installation from outside, all the time: its inventory, its tokens, a page's light."""

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import psycopg
import requests

from tests.load.soak.tally import GONE, Name, Sightings

EACH_LOOK = 0.1  # seconds between two
TAGS = """
select n.name || '/' || i.name, t.name, t.manifest_id from namespaces_tag t
join namespaces_image i on i.id = t.image_id join namespaces_namespace n on n.id = i.namespace_id
"""
MOVES = """
select m.id, n.name || '/' || i.name, m.tag, m.new, m.by, m.how, m.old, m.at from namespaces_taghistoryentry m
join namespaces_image i on i.id = m.image_id join namespaces_namespace n on n.id = i.namespace_id
order by m.id
"""
LIGHT = re.compile(r'class="freshness[^>]*>\s*<span class="state ?([a-z-]*)')


class Watch:
    """Each look has a thread of its own, until the end."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def also(self, look: Callable[[], None], every: float) -> None:
        thread = threading.Thread(target=self._repeat, args=(look, every), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _repeat(self, look: Callable[[], None], every: float) -> None:
        while not self.ended.wait(every):
            look()


class Inventory:
    """What the panel's database says of each tag, as every page reads it."""

    def __init__(self, address: str) -> None:
        self.connection = psycopg.connect(address, autocommit=True)
        self.sightings = Sightings()
        self.now: dict[Name, str] = {}

    def look(self) -> None:
        before, self.now = self.now, self.tags()
        at = time.time()
        for name in before.keys() | self.now.keys():
            if before.get(name, GONE) != self.now.get(name, GONE):
                self.sightings.note(at, name, self.now.get(name, GONE))

    def tags(self) -> dict[Name, str]:
        return {(repository, tag): digest for repository, tag, digest in self.rows(TAGS)}

    def rows(self, statement: str) -> list[Any]:
        return self.connection.execute(statement).fetchall()


class Tokens:
    """When one was given."""

    def __init__(self, url: str, username: str, password: str, repository: str) -> None:
        self.url, self.auth = f"{url}/auth/token", (username, password)
        self.query = {"service": "soak", "scope": f"repository:{repository}:pull"}
        self.given = [time.time()]

    def look(self) -> None:
        with suppress(requests.RequestException):
            if requests.get(self.url, params=self.query, auth=self.auth, timeout=2).ok:
                self.given.append(time.time())


class Light:
    """(moment, state) of the light on one page: "good" is live. A page that did not come has none."""

    def __init__(self, url: str, cookie: str) -> None:
        self.url, self.headers = url, {"Cookie": cookie}
        self.seen: list[tuple[float, str]] = []

    def look(self) -> None:
        state = "no page"
        with suppress(requests.RequestException):
            found = LIGHT.search(requests.get(self.url, headers=self.headers, timeout=5).text)
            state = found[1].removeprefix("state-") or "never" if found else "no light"
        self.seen.append((time.time(), state))

    def share(self, begin: float, end: float = math.inf) -> float:
        states = self._between(begin, end)
        return states["good"] / states.total() if states else math.nan

    def states(self, begin: float, end: float = math.inf) -> str:
        return ", ".join(f"{n} {state}" for state, n in self._between(begin, end).most_common())

    def _between(self, begin: float, end: float) -> Counter[str]:
        return Counter(state for at, state in self.seen if begin <= at < end)
