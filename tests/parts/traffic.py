"""What clients do all the time, through a proxy: ask for tokens, push, pull, read a page. Each answer is counted."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Self

import requests

from tests.load.soak.client import Client, Refused
from tests.parts import images

PAUSE = 0.05  # seconds between two of the same kind
TRIES = 3  # of a push, as clients have; each begins anew
PATIENCE = 120
REPOSITORY = "team/app"
SERVICE = "machines"  # TOKEN_SERVICE of tests.parts.machines


class Traffic:
    """`answers`: kind → how often which status came, or the name of an error. `acknowledged`: tag → its last digest.

    `later`: those answers to what was asked after `mark()`.
    """

    def __init__(self, fronts: dict[str, str], username: str, password: str) -> None:
        """`fronts`: the name of each proxy → its URL."""
        self.username, self.password = username, password
        self.answers: dict[str, Counter[str]] = {}
        self.later: dict[str, Counter[str]] = {}
        self.marked = threading.Event()
        self.acknowledged: dict[str, str] = {}
        self.over = threading.Event()
        acts: dict[str, Callable[[], str]] = {}
        for name, url in fronts.items():
            acts |= {
                f"token by GET, {name}": lambda url=url: self.token(url, post=False),
                f"token by POST, {name}": lambda url=url: self.token(url, post=True),
                f"page, {name}": lambda url=url: status(requests.get(f"{url}/me/login/", timeout=PATIENCE)),
                f"pull, {name}": self.pull(url),
                f"push, {name}": self.push(url, name.partition(" ")[0]),
            }
        self.threads = [threading.Thread(target=self.repeat, args=each) for each in acts.items()]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def seen(self) -> int:
        """The smallest number of answers of any kind."""
        return min((each.total() for each in self.answers.values()), default=0) if self.all_begun() else 0

    def all_begun(self) -> bool:
        return len(self.answers) == len(self.threads)

    def mark(self) -> None:
        self.marked.set()

    def wrong(self, *, later: bool = False) -> dict[str, Counter[str]]:
        bad = {
            name: Counter({said: n for said, n in each.items() if said not in ("200", "201")})
            for name, each in (self.later if later else self.answers).items()
        }
        return {name: each for name, each in bad.items() if each}

    def repeat(self, name: str, act: Callable[[], str]) -> None:
        while not self.over.wait(PAUSE):
            counted = [self.answers, self.later] if self.marked.is_set() else [self.answers]
            try:
                said = act()
            except (requests.RequestException, Refused) as error:
                said = f"{type(error).__name__}: {error}"[:200]
            for answers in counted:
                answers.setdefault(name, Counter())[said] += 1

    def token(self, url: str, *, post: bool) -> str:
        asked = {"service": SERVICE, "scope": f"repository:{REPOSITORY}:pull,push"}
        if post:
            form = asked | {"grant_type": "password", "username": self.username, "password": self.password}
            return status(requests.post(f"{url}/auth/token", data=form, timeout=PATIENCE))
        auth = (self.username, self.password)
        return status(requests.get(f"{url}/auth/token", params=asked, auth=auth, timeout=PATIENCE))

    def client(self, url: str) -> Client:
        return Client(url, self.username, self.password, [REPOSITORY])

    def pull(self, url: str) -> Callable[[], str]:
        """Of what was there before: a tag that moves may point at what is just being written."""
        client = self.client(url)

        def act() -> str:
            client.tokens.clear()
            return status(client.get(REPOSITORY, "fixed"))

        return act

    def push(self, url: str, tag: str) -> Callable[[], str]:
        client, numbers, begun = self.client(url), count(), time.time()

        def once(image: images.Image) -> str:
            client.tokens.clear()
            return put(client, tag, image)

        def act() -> str:
            image = images.Image(labels={"number": f"{begun} {next(numbers)}"})
            for left in reversed(range(TRIES)):
                try:
                    said = once(image)
                    break
                except (requests.RequestException, Refused):
                    if not left:
                        raise
                    time.sleep(0.2)
            self.acknowledged[tag] = image.digest
            return said

        return act


def put(client: Client, tag: str, image: images.Image) -> str:
    for blob in (*image.layer_blobs, image.config):
        client.blob(REPOSITORY, blob.content)
    return str(client.put(REPOSITORY, tag, image.manifest.media_type, image.manifest.content))


def status(answer: requests.Response) -> str:
    return str(answer.status_code)
