"""The differences between two images. PURE."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from namespaces.manifests.details import Layer, ManifestDetails


class ChangeState(StrEnum):
    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class DiffSide:
    """One of the two images. `digest` is what the tag points at; `details` are those of the chosen platform."""

    digest: str
    size: int
    platforms: tuple[str, ...] = ()
    details: ManifestDetails = field(default_factory=ManifestDetails)


@dataclass(frozen=True, slots=True)
class LayerChange:
    state: ChangeState
    layer: Layer


@dataclass(frozen=True, slots=True)
class Change:
    """`name` is the variable or label, "" for a single value. `before` is "" if added, `after` is "" if removed."""

    state: ChangeState
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ImageDiff:
    same: bool  # the very same digest
    size_difference: int  # bytes of all platforms, right minus left
    layers: tuple[LayerChange, ...]
    base: int  # how many of the first layers are the same in both
    to_fetch: int  # bytes a client that has the left image downloads
    platforms: tuple[Change, ...]
    settings: Mapping[str, tuple[Change, ...]]  # the changed parts of the config

    @property
    def differs(self) -> bool:
        """False if layers, settings and platforms are the same, even if the digests differ."""
        moved = any(each.state != ChangeState.KEPT for each in self.layers)
        return moved or bool(self.platforms) or bool(self.settings)


def diff_images(left: DiffSide, right: DiffSide) -> ImageDiff:
    old, new = left.details, right.details
    layers, base = _diff_layers(old.layers, new.layers)
    had = {layer.digest for layer in old.layers}
    fetched = {layer.digest: layer.size for layer in new.layers if layer.digest not in had}
    settings = {
        "entrypoint": _diff_values(_shell_words(old.entrypoint), _shell_words(new.entrypoint)),
        "cmd": _diff_values(_shell_words(old.cmd), _shell_words(new.cmd)),
        "env": _diff_mappings(_variables(old.env), _variables(new.env)),
        "ports": _diff_sets(old.ports, new.ports),
        "user": _diff_values(old.user, new.user),
        "workdir": _diff_values(old.workdir, new.workdir),
        "labels": _diff_mappings(dict(old.labels), dict(new.labels)),
        "annotations": _diff_mappings(dict(old.annotations), dict(new.annotations)),
        "chart": _diff_mappings(old.chart, new.chart),
    }
    return ImageDiff(
        same=left.digest == right.digest,
        size_difference=right.size - left.size,
        layers=layers,
        base=base,
        to_fetch=sum(fetched.values()),
        platforms=_diff_sets(left.platforms, right.platforms),
        settings={name: changes for name, changes in settings.items() if changes},
    )


def _diff_layers(old: tuple[Layer, ...], new: tuple[Layer, ...]) -> tuple[tuple[LayerChange, ...], int]:
    """Return the layers in the new order, the removed ones after the common base, and the length of that base."""
    pairs = enumerate(zip(old, new, strict=False))
    base = next((number for number, (a, b) in pairs if a.digest != b.digest), min(len(old), len(new)))
    left = Counter(layer.digest for layer in old[base:])
    after = []
    for layer in new[base:]:
        kept = left[layer.digest] > 0
        left[layer.digest] -= kept
        after.append(LayerChange(ChangeState.KEPT if kept else ChangeState.ADDED, layer))
    removed = []
    for layer in reversed(
        old[base:]
    ):  # of a layer that was there twice and is there once, the later one is removed
        if left[layer.digest] > 0:
            left[layer.digest] -= 1
            removed.append(LayerChange(ChangeState.REMOVED, layer))
    kept_base = [LayerChange(ChangeState.KEPT, layer) for layer in new[:base]]
    return (*kept_base, *reversed(removed), *after), base


def _diff_mappings(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(_state(name in old, name in new), name, old.get(name, ""), new.get(name, ""))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _diff_sets(old: Iterable[str], new: Iterable[str]) -> tuple[Change, ...]:
    """Compare two sets of names."""
    return _diff_mappings({each: each for each in old}, {each: each for each in new})


def _diff_values(old: str, new: str) -> tuple[Change, ...]:
    return (Change(_state(bool(old), bool(new)), "", old, new),) if old != new else ()


def _state(before: bool, after: bool) -> ChangeState:
    if before and after:
        return ChangeState.CHANGED
    return ChangeState.ADDED if after else ChangeState.REMOVED


def _variables(env: Iterable[str]) -> dict[str, str]:
    """Return name → value; of a repeated name the last value wins, as for a process."""
    found = {}
    for each in env:
        name, _equals, value = each.partition("=")
        found[name] = value
    return found


def _shell_words(parts: Iterable[str]) -> str:
    """Join the words as one would type them, quoted, so that ["a b"] and ["a", "b"] differ."""
    return " ".join(_quoted(part) for part in parts)


def _quoted(part: str) -> str:
    plain = part and not any(each.isspace() or each in "\"'\\" for each in part)
    return part if plain else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
