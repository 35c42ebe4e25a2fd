"""What differs between two images. PURE."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from namespaces.manifests.details import Contents, Layer


class State(StrEnum):
    KEPT = "kept"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `digest` is what the tag points at; `contents` those of the chosen platform."""

    digest: str
    size: int
    platforms: tuple[str, ...] = ()
    contents: Contents = field(default_factory=Contents)


@dataclass(frozen=True, slots=True)
class LayerChange:
    state: State
    layer: Layer


@dataclass(frozen=True, slots=True)
class Change:
    """`name` is the variable or label; "" where there is only one. "" before: it came; "" after: it went."""

    state: State
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    same: bool  # the very same digest
    size_difference: int  # bytes of all platforms, right minus left
    layers: tuple[LayerChange, ...]
    base: int  # so many of the first layers are the same in both
    to_fetch: int  # bytes of layers that a client with the left one still has to fetch
    platforms: tuple[Change, ...]
    settings: Mapping[str, tuple[Change, ...]]  # what of the config changed; without what did not

    @property
    def differs(self) -> bool:
        """False when the layers, the settings and the platforms are the same, whatever the digests."""
        moved = any(each.state != State.KEPT for each in self.layers)
        return moved or bool(self.platforms) or bool(self.settings)


def compare(left: Side, right: Side) -> Comparison:
    old, new = left.contents, right.contents
    layers, base = _layers(old.layers, new.layers)
    had = {layer.digest for layer in old.layers}
    fetched = {layer.digest: layer.size for layer in new.layers if layer.digest not in had}
    settings = {
        "entrypoint": _whole(_words(old.entrypoint), _words(new.entrypoint)),
        "cmd": _whole(_words(old.cmd), _words(new.cmd)),
        "env": _named(_variables(old.env), _variables(new.env)),
        "ports": _members(old.ports, new.ports),
        "user": _whole(old.user, new.user),
        "workdir": _whole(old.workdir, new.workdir),
        "labels": _named(dict(old.labels), dict(new.labels)),
        "annotations": _named(dict(old.annotations), dict(new.annotations)),
        "chart": _named(old.chart, new.chart),
    }
    return Comparison(
        same=left.digest == right.digest,
        size_difference=right.size - left.size,
        layers=layers,
        base=base,
        to_fetch=sum(fetched.values()),
        platforms=_members(left.platforms, right.platforms),
        settings={name: changes for name, changes in settings.items() if changes},
    )


def _layers(old: tuple[Layer, ...], new: tuple[Layer, ...]) -> tuple[tuple[LayerChange, ...], int]:
    """In the new order; what went stands where it was cut: after the common base."""
    pairs = enumerate(zip(old, new, strict=False))
    base = next((number for number, (a, b) in pairs if a.digest != b.digest), min(len(old), len(new)))
    left = Counter(layer.digest for layer in old[base:])
    after = []
    for layer in new[base:]:
        kept = left[layer.digest] > 0
        left[layer.digest] -= kept
        after.append(LayerChange(State.KEPT if kept else State.ADDED, layer))
    removed = []
    for layer in reversed(old[base:]):  # the same layer twice, once in the new: the later one went
        if left[layer.digest] > 0:
            left[layer.digest] -= 1
            removed.append(LayerChange(State.REMOVED, layer))
    kept_base = [LayerChange(State.KEPT, layer) for layer in new[:base]]
    return (*kept_base, *reversed(removed), *after), base


def _named(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(_state(name in old, name in new), name, old.get(name, ""), new.get(name, ""))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _members(old: Iterable[str], new: Iterable[str]) -> tuple[Change, ...]:
    """Of things that are there or not."""
    return _named({each: each for each in old}, {each: each for each in new})


def _whole(old: str, new: str) -> tuple[Change, ...]:
    return (Change(_state(bool(old), bool(new)), "", old, new),) if old != new else ()


def _state(before: bool, after: bool) -> State:
    if before and after:
        return State.CHANGED
    return State.ADDED if after else State.REMOVED


def _variables(env: Iterable[str]) -> dict[str, str]:
    """Return name → value; the last of several of one name holds, as for a process."""
    found = {}
    for each in env:
        name, _equals, value = each.partition("=")
        found[name] = value
    return found


def _words(parts: Iterable[str]) -> str:
    """So that ["a b"] and ["a", "b"] differ, and read as one would type them."""
    return " ".join(_quoted(part) for part in parts)


def _quoted(part: str) -> str:
    plain = part and not any(each.isspace() or each in "\"'\\" for each in part)
    return part if plain else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
