"""What one manifest holds, read out of `Manifest.details` for pages and comparisons. PURE.

The pairs are lists and not mappings on purpose: in a template `labels.items` is the label named "items".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from namespaces.manifests.bidi_text import visible

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Layer:
    digest: str
    size: int
    media_type: str = ""
    command: str = ""  # that made it, of an image
    title: str = ""  # its file's name, of an artifact
    predicate: str = ""  # what it states, of an attestation
    elsewhere: bool = False  # to be fetched from an address that the manifest names, and not here


@dataclass(frozen=True, slots=True)
class Dependency:
    name: str
    version: str
    repository: str


@dataclass(frozen=True, slots=True)
class Contents:
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
    # How many there are, and bytes of the config, where not all was read; else 0.
    all_layers: int = 0
    all_entries: int = 0
    all_config: int = 0
    by_sha512: bool = False  # a layer, shown or not, or the config is named so

    @property
    def lost_to_collection(self) -> bool:
        """The registry's garbage collection knows no blob by another name than sha256, and deletes it."""
        return self.by_sha512 or any(layer.digest.startswith("sha512:") for layer in self.layers)

    @property
    def biggest(self) -> int:
        """The size of the biggest layer, to draw the others against; at least 1."""
        return max([1, *(layer.size for layer in self.layers)])


CHART_WORDS = ("name", "version", "appVersion", "type", "kubeVersion", "description", "home")


def read(details: Any) -> Contents:
    """Never raises, whatever an earlier or later release stored."""
    all_of = _mapping(details)
    config, chart = _mapping(all_of.get("config")), _mapping(all_of.get("chart"))
    return Contents(
        layers=tuple(_layer(each) for each in _mappings(all_of.get("layers"))),
        entrypoint=_texts(config.get("entrypoint")),
        cmd=_texts(config.get("cmd")),
        env=_texts(config.get("env")),
        ports=_texts(config.get("ports")),
        user=_text(config.get("user")),
        workdir=_text(config.get("workdir")),
        labels=_pairs(config.get("labels")),
        annotations=_pairs(all_of.get("annotations")),
        config_type=_text(all_of.get("config_type")),
        chart={word: text for word in CHART_WORDS if (text := _text(chart.get(word)))},
        chart_lists={word: _texts(chart.get(word)) for word in ("keywords", "sources", "maintainers")},
        dependencies=tuple(
            Dependency(*(_text(each.get(key)) for key in ("name", "version", "repository")))
            for each in _mappings(chart.get("dependencies"))
        ),
        **{key: _number(all_of.get(key)) for key in ("all_layers", "all_entries", "all_config")},
        by_sha512=all_of.get("by_sha512") is True,
    )


def _layer(entry: Mapping[str, Any]) -> Layer:
    texts = {key: _text(entry.get(key)) for key in ("digest", "media_type", "command", "title", "predicate")}
    return Layer(size=_number(entry.get("size")), elsewhere=entry.get("elsewhere") is True, **texts)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _text(value: Any) -> str:
    """Whoever pushed it wrote it: what would read as something else is made to be seen."""
    return visible(value) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in value) if isinstance(value, list) else ()


def _pairs(value: Any) -> Pairs:
    return tuple((_text(key), _text(text)) for key, text in _mapping(value).items())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
