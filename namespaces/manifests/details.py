"""Reads `Manifest.details`, as registry_sync/inventory/parser.py stored it, for pages and comparisons. PURE.

Labels and annotations are pairs and not mappings: in a template `labels.items` would be the label "items".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.common.json_fields import read_mapping, read_mappings
from namespaces.manifests.bidi_text import escape_invisible

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Layer:
    digest: str
    size: int
    media_type: str = ""
    command: str = ""  # of an image: the build step that made it
    title: str = ""  # of an artifact: its file name
    predicate: str = ""  # of an attestation: its predicate type
    elsewhere: bool = False  # a foreign layer: fetched from a URL that the manifest names


@dataclass(frozen=True, slots=True)
class Dependency:
    name: str
    version: str
    repository: str


@dataclass(frozen=True, slots=True)
class ManifestDetails:
    layers: tuple[Layer, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    labels: Pairs = ()
    annotations: Pairs = ()
    config_type: str = ""
    chart: Mapping[str, str] = field(default_factory=dict)
    chart_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dependencies: tuple[Dependency, ...] = ()
    # 0, unless not all was stored: then the number of layers and index entries, and the size of the config in bytes.
    all_layers: int = 0
    all_entries: int = 0
    all_config: int = 0
    by_sha512: bool = False  # the config or a layer has a sha512 digest

    @property
    def lost_to_gc(self) -> bool:
        """The registry's garbage collection deletes blobs whose digest is not sha256."""
        return self.by_sha512 or any(layer.digest.startswith("sha512:") for layer in self.layers)

    @property
    def largest_layer(self) -> int:
        """Bytes of the largest layer, the scale of the size bars; at least 1."""
        return max([1, *(layer.size for layer in self.layers)])


CHART_KEYS = ("name", "version", "appVersion", "type", "kubeVersion", "description", "home")


def parse_details(details: Any) -> ManifestDetails:
    """Return the details. Never raises, whatever another release stored."""
    stored = read_mapping(details)
    config, chart = read_mapping(stored.get("config")), read_mapping(stored.get("chart"))
    return ManifestDetails(
        layers=tuple(_layer(each) for each in read_mappings(stored.get("layers"))),
        entrypoint=_texts(config.get("entrypoint")),
        cmd=_texts(config.get("cmd")),
        env=_texts(config.get("env")),
        ports=_texts(config.get("ports")),
        user=_text(config.get("user")),
        workdir=_text(config.get("workdir")),
        labels=_pairs(config.get("labels")),
        annotations=_pairs(stored.get("annotations")),
        config_type=_text(stored.get("config_type")),
        chart={word: text for word in CHART_KEYS if (text := _text(chart.get(word)))},
        chart_lists={word: _texts(chart.get(word)) for word in ("keywords", "sources", "maintainers")},
        dependencies=tuple(
            Dependency(*(_text(each.get(key)) for key in ("name", "version", "repository")))
            for each in read_mappings(chart.get("dependencies"))
        ),
        **{key: _number(stored.get(key)) for key in ("all_layers", "all_entries", "all_config")},
        by_sha512=stored.get("by_sha512") is True,
    )


def _layer(entry: Mapping[str, Any]) -> Layer:
    texts = {key: _text(entry.get(key)) for key in ("digest", "media_type", "command", "title", "predicate")}
    return Layer(size=_number(entry.get("size")), elsewhere=entry.get("elsewhere") is True, **texts)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _text(value: Any) -> str:
    """Return the text with invisible characters escaped: whoever pushed the image wrote it."""
    return escape_invisible(value) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in value) if isinstance(value, list) else ()


def _pairs(value: Any) -> Pairs:
    return tuple((_text(key), _text(text)) for key, text in read_mapping(value).items())
