"""Authorization: the access entries that a token gets, and the actions it is denied. PURE."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypedDict

from accounts.common.lazy_text import lazy as _
from namespaces.access import AccessContext, Action, Level, Verdict, allowed_actions, decide
from registry_sync.tokens.scope import RequestedAccess


class ResourceActions(TypedDict):
    """One entry of a registry token's `access` claim."""

    type: str
    name: str
    actions: list[str]


class DeniedAction(NamedTuple):
    """An action that was asked and is not granted, with the verdict that says why.

    `sources` are other images whose layers the same push asked for in vain.
    """

    repository: str
    action: str
    verdict: Verdict
    sources: tuple[str, ...] = ()


# What is refused to a push that was allowed: to have the registry reuse layers of other images.
MOUNT = "mount"  # as of a Denial
_NOT_MOUNTED = Verdict(
    allowed=False,
    reason=_("layers of other images cannot be reused without read there; the push itself was allowed"),
    level=Level.NONE,
    remedy=_("Nothing, if it was a push: it uploads them instead. A copy needs read on what it copies."),
)


def authorize(
    requested: Iterable[RequestedAccess], contexts: Mapping[str, AccessContext]
) -> list[ResourceActions]:
    """Return what is both asked for and allowed. `contexts`: repository → access context. Nothing is ever added."""
    entries = []
    for each in requested:
        actions = allowed_actions(contexts[each.repository], each.actions)
        if actions:
            entries.append(ResourceActions(type="repository", name=each.repository, actions=[*actions]))
    return entries


def denied_actions(
    requested: Iterable[RequestedAccess],
    contexts: Mapping[str, AccessContext],
    granted: Iterable[ResourceActions],
) -> Iterator[DeniedAction]:
    """Yield each action that was asked for and not granted.

    A push asks for pull as well. Where both are denied that is one denial, of the push.
    """
    actions = {each["name"]: each["actions"] for each in granted}
    for each in requested:
        missing = set(each.actions.difference(actions.get(each.repository, ())))
        if Action.PUSH in missing:
            missing.discard(Action.PULL)
        for action in sorted(missing):
            yield DeniedAction(each.repository, action.value, decide(contexts[each.repository], action))


# These read what they copy before they push: a pull that is refused to them is what failed, whatever it stands beside.
COPY_CLIENTS = frozenset({"oras", "regctl", "regsync", "regbot"})


def fold_copy_sources(
    requested: Iterable[RequestedAccess], denied: Iterable[DeniedAction], client: str
) -> list[DeniedAction]:
    """Fold the pulls of a `client` that pushes, which also asks for images that may hold the same layers.

    Such pulls are reported with the push, whether that was allowed or denied.
    """
    if client.partition("/")[0] in COPY_CLIENTS:
        return list(denied)
    asked = {each.repository: each.actions for each in requested}
    pushes = [repository for repository, actions in asked.items() if Action.PUSH in actions]
    if not pushes:
        return list(denied)
    others: list[DeniedAction] = []
    sources: list[DeniedAction] = []
    for each in denied:
        (sources if asked[each.repository] == {Action.PULL} else others).append(each)
    if not sources:
        return others
    failed = {each.repository for each in others if each.action == Action.PUSH}
    names = tuple(each.repository for each in sources)
    allowed = next((repository for repository in pushes if repository not in failed), "")
    if allowed:
        return [*others, DeniedAction(allowed, MOUNT, _NOT_MOUNTED, names)]
    return [each._replace(sources=names) if each.action == Action.PUSH else each for each in others]


# Only for tokens the panel makes for itself: the catalog names every tenant's images.
CATALOG_ACCESS = ResourceActions(type="registry", name="catalog", actions=["*"])
