"""Manifests that registries take and clients pull, and that nobody expects: `python -m tests.load.soak.odd SPEC.json`.

One user pushes one of each, over and over, each time another digest.
"""

import hashlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import requests

from manager.demo.push_client import CONFIG, INDEX, LAYER, MANIFEST, descriptor
from tests.load.soak.client import Client, Refused, document

CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DEEP, LONG = 5_000, 1_000_000  # Go's decoder takes twice as deep, a registry four times as long
Json = dict[str, Any]


class Odd:
    """Each public method pushes one kind into `repository`, under `tag` or beside it."""

    def __init__(self, client: Client, seed: int) -> None:
        self.client, self.seed = client, seed
        self.made = count()
        self.repository = client.repositories[0]
        self.tag = ""

    # What stands in it

    def buildkit_cache(self) -> None:
        layers = [self.blob(LAYER) for _layer in range(3)]
        self.put(INDEX, document(INDEX, manifests=[*layers, self.blob(CACHE_CONFIG)]))

    def layer_typed_as_manifest(self) -> None:
        self.put(INDEX, document(INDEX, manifests=[{**self.blob(LAYER), "mediaType": MANIFEST}]))

    def null_layers(self) -> None:
        self.put(MANIFEST, self.image(layers=None))

    def null_manifests(self) -> None:
        self.put(INDEX, document(INDEX, manifests=None, annotations=self.unique()))

    def null_everything_else(self) -> None:
        nothing: Json = dict.fromkeys(("subject", "annotations", "artifactType"))
        self.put(MANIFEST, self.image(**nothing))

    def latin1_annotation(self) -> None:
        self.put(MANIFEST, self.image(annotations={"author": "J?rg"}).replace(b"J?rg", b"J\xf6rg"))

    def deep_unknown_field(self) -> None:
        self.put(MANIFEST, self.with_field(b"[" * DEEP + b"]" * DEEP))

    def long_unknown_field(self) -> None:
        self.put(MANIFEST, self.with_field(b'"' + b"x" * LONG + b'"'))

    def other_case(self) -> None:
        self.put(MANIFEST, self.image().replace(b'"layers"', b'"Layers"').replace(b'"config"', b'"CONFIG"'))

    def twice_the_same_key(self) -> None:
        layers = json.dumps([self.blob(LAYER)]).encode()
        self.put(MANIFEST, self.image()[:-1] + b', "layers": ' + layers + b"}")

    def twice_the_same_digest(self) -> None:
        layer, image = self.blob(LAYER), self.image()
        self.put(MANIFEST, self.image(layers=[layer, layer]))
        self.by_digest(image)
        self.put(INDEX, document(INDEX, manifests=[descriptor(MANIFEST, image)] * 2))

    def many_layers(self) -> None:
        self.put(MANIFEST, self.image(layers=[self.blob(LAYER)] * 600))

    def long_config(self) -> None:
        config = json.dumps(
            {"os": "linux", "config": {"Labels": {**self.unique(), "x": "x" * LONG}}}
        ).encode()
        self.put(MANIFEST, self.image(config=self.blob(CONFIG, config)))

    def foreign_layers(self) -> None:
        away = {**descriptor(FOREIGN, self.content()), "urls": ["https://layers.example.com/base"]}
        config = self.blob(DOCKER_CONFIG, self.config())
        self.put(DOCKER_MANIFEST, document(DOCKER_MANIFEST, config=config, layers=[away, self.blob(LAYER)]))

    # What hangs together

    def index_in_index(self) -> None:
        image = self.by_digest(self.image())
        inner = self.by_digest(document(INDEX, manifests=[image]), INDEX)
        middle = self.by_digest(document(INDEX, manifests=[inner]), INDEX)
        self.put(INDEX, document(INDEX, manifests=[middle, image]))

    def no_platform(self) -> None:
        entries = [{**self.by_digest(self.image()), "platform": {}} for _image in range(3)]
        self.put(INDEX, document(INDEX, manifests=entries))

    def tags_of_tools(self) -> None:
        image = self.image()
        self.put(MANIFEST, image)
        hexes = descriptor(MANIFEST, image)["digest"].removeprefix("sha256:")
        for suffix in ("sig", "att", "sbom", "cosign", "imgref", ""):
            self.put(MANIFEST, self.image(), tag=f"sha256-{hexes}{f'.{suffix}' if suffix else ''}")

    def subject_without_layers(self) -> None:
        subject = self.by_digest(self.image())
        content = json.loads(self.image(subject=subject, artifactType="application/vnd.example"))
        del content["layers"]
        self.by_digest(json.dumps(content).encode())

    def many_referrers(self) -> None:
        subject = self.by_digest(self.image())
        for _referrer in range(20):
            self.by_digest(self.image(subject=subject, artifactType="application/vnd.example"))

    def by_digest_alone(self) -> None:
        self.by_digest(self.image())

    # Of what they are made

    def put(self, media_type: str, content: bytes, *, tag: str = "") -> None:
        self.client.put(self.repository, tag or self.tag, media_type, content)

    def by_digest(self, content: bytes, media_type: str = MANIFEST) -> Json:
        described = descriptor(media_type, content)
        self.client.put(self.repository, described["digest"], media_type, content)
        return described

    def image(self, **parts: Any) -> bytes:
        config = self.blob(CONFIG, self.config())
        return document(MANIFEST, **{"config": config, "layers": [self.blob(LAYER)], **parts})

    def with_field(self, value: bytes) -> bytes:
        return self.image()[:-1] + b', "x": ' + value + b"}"

    def config(self) -> bytes:
        about = {"architecture": "amd64", "os": "linux", "config": {"Labels": self.unique()}}
        return json.dumps(about).encode()

    def blob(self, media_type: str, content: bytes = b"") -> Json:
        content = content or self.content()
        self.client.blob(self.repository, content)
        return descriptor(media_type, content)

    def content(self) -> bytes:
        return json.dumps(self.unique()).encode()

    def unique(self) -> Json:
        return {"odd": hashlib.sha256(f"{self.seed}-{next(self.made)}".encode()).hexdigest()}


def kinds(odd: Odd) -> dict[str, Callable[[], None]]:
    parts = ("put", "by_digest", "image", "with_field", "config", "blob", "content", "unique")
    names = [name for name in vars(Odd) if not name.startswith("_") and name not in parts]
    return {name: getattr(odd, name) for name in names}


def main(spec: dict[str, Any]) -> None:
    """Writes {kind: {answer: how often}}."""
    client, choice = Client(spec["registry"], **spec["user"]), random.Random(spec["seed"])
    odd, ends, said = Odd(client, spec["seed"]), time.time() + spec["seconds"], Counter[tuple[str, str]]()
    while time.time() < ends:
        for name, push in kinds(odd).items():
            client.tokens.clear()
            odd.repository, odd.tag = choice.choice(client.repositories), f"{name}-{choice.randrange(30)}"
            try:
                push()
                said[name, "taken"] += 1
                client.get(odd.repository, odd.tag)
            except Refused as error:
                said[name, str(error.status)] += 1
            except requests.RequestException as error:
                said[name, type(error).__name__] += 1
            answers = {
                kind: {each: n for (of, each), n in said.items() if of == kind} for kind, _each in said
            }
            Path(spec["said"]).write_text(json.dumps(answers))
            time.sleep(spec["pause"])


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
