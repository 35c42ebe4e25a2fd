"""Eight clients that push, tag anew, pull and delete as docker does: `python -m tests.load.soak.clients SPEC.json`.

Each question that is to move a tag has a number of its own, which goes along as the client's name: so the registry's
event says which it was. All is written down with what was answered; 0: nothing was.
"""

import json
import random
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import Any

import requests

from manager.demo.push_client import INDEX, MANIFEST, descriptor
from tests.load.soak.client import Client, Refused, document
from tests.parts import images

ROUNDS = {"push": 8, "index": 3, "tag": 5, "back": 3, "burst": 1, "pull": 6, "delete": 4}
BURST = 10
TAGS = 8  # of each client in each of its repositories


class Journal:
    """One line for each act, written by all clients."""

    def __init__(self, path: Path) -> None:
        self.file, self.lock, self.numbers = path.open("a", buffering=1), threading.Lock(), count(1)

    def number(self) -> int:
        with self.lock:
            return next(self.numbers)

    def note(self, **line: Any) -> None:
        with self.lock:
            self.file.write(json.dumps(line) + "\n")


class Worker:
    """One client. Its tags are its own: what it did last is what they point at."""

    def __init__(self, spec: dict[str, Any], client: Client, number: int, journal: Journal) -> None:
        self.client, self.journal, self.spec = client, journal, spec
        self.choice = random.Random(f"{spec['seed']}-{number}")
        self.repositories = client.repositories
        self.name = f"c{number}"
        self.made = count()
        # (repository, tag) → the manifests it pointed at, the newest last. Not of a tag of which nothing is certain.
        self.past: dict[tuple[str, str], list[tuple[str, bytes]]] = {}

    def run(self) -> None:
        ends = time.time() + self.spec["seconds"]
        kinds, weights = list(ROUNDS), list(ROUNDS.values())
        while time.time() < ends:
            self.client.tokens.clear()  # each command that people type asks for its own
            try:
                getattr(self, self.choice.choices(kinds, weights)[0])(self.choice.choice(self.repositories))
            except (requests.RequestException, Refused):
                time.sleep(0.5)  # whoever is told no, or nothing, begins anew a little later
            time.sleep(self.choice.uniform(*self.spec["pause"]))

    def push(self, repository: str) -> None:
        self.put(repository, self.any_tag(), MANIFEST, self.image(repository))

    def burst(self, repository: str) -> None:
        tag = self.any_tag()
        for _each in range(BURST):
            self.put(repository, tag, MANIFEST, self.image(repository))

    def index(self, repository: str) -> None:
        entries = []
        for architecture in ("amd64", "arm64"):
            content = self.image(repository, architecture)
            self.client.put(repository, descriptor(MANIFEST, content)["digest"], MANIFEST, content)
            platform = {"architecture": architecture, "os": "linux"}
            entries.append({**descriptor(MANIFEST, content), "platform": platform})
        self.put(repository, self.any_tag(), INDEX, document(INDEX, manifests=entries))

    def tag(self, repository: str) -> None:
        """Another name for what is there."""
        if held := self.held(repository):
            self.put(repository, self.any_tag(), *self.past[repository, self.choice.choice(held)][-1])

    def back(self, repository: str) -> None:
        """To what the tag pointed at before."""
        held = [tag for tag in self.held(repository) if len(self.past[repository, tag]) > 1]
        if held:
            tag = self.choice.choice(held)
            self.put(repository, tag, *self.past[repository, tag][-2])

    def pull(self, repository: str) -> None:
        if held := self.held(repository):
            self.client.get(repository, self.choice.choice(held))

    def delete(self, repository: str) -> None:
        """The tag alone where the registry can; else, and half the time, what it points at with all its tags."""
        if not (held := self.held(repository)):
            return
        tag = self.choice.choice(held)
        content = self.past[repository, tag][-1]
        by_tag = self.spec["deletes_tags"] and self.choice.random() < 0.5
        digest = descriptor(*content)["digest"]
        gone = [tag] if by_tag else [each for each in held if self.past[repository, each][-1] == content]
        for each in gone:
            del self.past[repository, each]
        self.act("delete", repository, tag if by_tag else "", digest, gone)

    def put(self, repository: str, tag: str, media_type: str, content: bytes) -> None:
        digest = descriptor(media_type, content)["digest"]
        past = self.past.pop((repository, tag), [])
        self.act("push", repository, tag, digest, [tag], media_type, content)
        self.past[repository, tag] = [*past, (media_type, content)][-3:]

    def act(self, kind: str, repository: str, tag: str, digest: str, tags: list[str],
            media_type: str = "", content: bytes = b"") -> None:  # fmt: skip
        number, began, status = self.journal.number(), time.time(), 0
        try:
            if kind == "push":
                status = self.client.put(repository, tag, media_type, content, name=f"act/{number}")
            else:
                status = self.client.delete(repository, tag or digest, name=f"act/{number}")
        except Refused as error:
            status = error.status
            raise
        finally:
            self.journal.note(
                number=number, repository=repository, tags=tags, outcome=digest if kind == "push" else "",
                by=self.client.username, began=began, status=status,
            )  # fmt: skip

    def image(self, repository: str, architecture: str = "amd64") -> bytes:
        """Like no other: so it can be told by its digest which push a tag shows."""
        label = f"{self.spec['seed']}-{self.name}-{next(self.made)}"
        image = images.Image(labels={"push": label}, architecture=architecture)
        for blob in (*image.layer_blobs, image.config):
            self.client.blob(repository, blob.content)
        return image.manifest.content

    def any_tag(self) -> str:
        return f"{self.name}-v{self.choice.randrange(TAGS)}"

    def held(self, repository: str) -> list[str]:
        return [tag for name, tag in self.past if name == repository]


def main(spec: dict[str, Any]) -> None:
    journal = Journal(Path(spec["journal"]))
    workers = [
        Worker(spec, Client(spec["registry"], **user), number, journal)
        for number, user in enumerate(spec["users"])
    ]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
