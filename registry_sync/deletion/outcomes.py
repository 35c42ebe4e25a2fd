"""How an item of a removal ended: a code for programs, a sentence for people. PURE."""

from collections import Counter
from enum import StrEnum

from accounts.common.lazy_text import LazyText, joined
from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext


class Outcome(StrEnum):
    DONE = "done"
    ALREADY_GONE = "already_gone"
    MANIFEST_LOST = "manifest_lost"
    TAG_MOVED = "tag_moved"
    IN_USE = "in_use"
    PARENT_KEPT = "parent_kept"
    UNCERTAIN = "uncertain"
    UNREADABLE = "unreadable"
    DELETION_DISABLED = "deletion_disabled"
    READ_ONLY = "read_only"
    PULL_THROUGH_CACHE = "pull_through_cache"
    REJECTED = "rejected"
    NOT_FOUND = "not_found"
    NO_RESPONSE = "no_response"
    QUARANTINED = "quarantined"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    RESTORED = "restored"


SENTENCES: dict[Outcome, LazyText] = {
    Outcome.DONE: _("Done and confirmed in the registry."),
    Outcome.ALREADY_GONE: _("It was already gone from the registry."),
    Outcome.MANIFEST_LOST: _(
        "The tag is removed. The registry no longer has its image either, so it cannot be restored."
    ),
    Outcome.TAG_MOVED: _("The tag has moved since this was requested, so nothing was done."),
    Outcome.IN_USE: _(
        "Something that was not listed when this was confirmed needs it, so it was not deleted."
    ),
    Outcome.PARENT_KEPT: _("It belongs to an image that was not deleted, so it stays too."),
    Outcome.UNCERTAIN: _(
        "The registry did not show all tags of this image, so nothing was deleted. Try again later."
    ),
    Outcome.UNREADABLE: _(
        "Something in this image cannot be read and may need it, so it was not deleted. Delete that first."
    ),
    Outcome.DELETION_DISABLED: _(
        "Deletion is disabled in the registry, so nothing was changed. To enable it, set storage: delete: "
        "enabled: true in its configuration (or REGISTRY_STORAGE_DELETE_ENABLED=true) and restart it. If it "
        "is a pull-through cache (proxy: remoteurl), nothing can be deleted in it: tell the panel that it "
        "is one (REGISTRY_IS_PULL_THROUGH_CACHE=true)."
    ),
    Outcome.READ_ONLY: _(
        "The registry is read-only (storage: maintenance: readonly: enabled: true in its configuration), "
        "perhaps while its garbage collection runs. Nothing was changed."
    ),
    Outcome.PULL_THROUGH_CACHE: _(
        "The registry is a pull-through cache and accepts no changes: make them in its upstream registry."
    ),
    Outcome.REJECTED: _("The registry refused, so nothing was changed."),
    Outcome.NOT_FOUND: _("The registry no longer has this image, so it cannot be restored."),
    Outcome.NO_RESPONSE: _("The registry gave no usable answer for so long that this was given up."),
    Outcome.QUARANTINED: _(
        "The panel’s workers crashed on this, so it was given up. Operators can see details under System."
    ),
    Outcome.WITHDRAWN: _("The rule was changed or turned off before its turn came, so nothing was done."),
    Outcome.CANCELLED: _("It was stopped before its turn came, so nothing was done."),
    Outcome.RESTORED: _(
        "The panel was restored from a backup before its turn came, so nothing was done. Request it again if needed."
    ),
}


IN_SHORT: dict[Outcome, LazyText] = {
    Outcome.TAG_MOVED: _("the tag has moved meanwhile"),
    Outcome.IN_USE: _("something else needs it"),
    Outcome.PARENT_KEPT: _("it belongs to an image that stays"),
    Outcome.UNCERTAIN: _("not all tags could be seen"),
    Outcome.UNREADABLE: _("something in the image cannot be read and may need it"),
    Outcome.DELETION_DISABLED: _("deletion is switched off in the registry, or it is a pull-through cache"),
    Outcome.READ_ONLY: _("the registry is read-only"),
    Outcome.PULL_THROUGH_CACHE: _("the registry is a pull-through cache"),
    Outcome.REJECTED: _("the registry refused"),
    Outcome.NOT_FOUND: _("the registry no longer holds all of it"),
    Outcome.NO_RESPONSE: _("the registry gave no usable answer"),
    Outcome.QUARANTINED: _("workers crashed on it"),
    Outcome.WITHDRAWN: _("the rule was changed or turned off"),
    Outcome.CANCELLED: _("it was stopped"),
    Outcome.RESTORED: _("the panel was restored from a backup"),
}


# With these the registry's answer to an earlier request for the item stays unknown.
UNANSWERED = frozenset({
    Outcome.TAG_MOVED, Outcome.IN_USE, Outcome.PARENT_KEPT, Outcome.UNCERTAIN, Outcome.UNREADABLE, Outcome.NO_RESPONSE,
    Outcome.WITHDRAWN,
})  # fmt: skip


def sentence(code: str, *, started: bool) -> str:
    """Return the outcome for people; "" while there is none. `started`: the registry was asked to do it."""
    if not code:
        return ""
    outcome = Outcome(code)
    if started and outcome in UNANSWERED:
        return _(
            "The registry was asked to do this, but the result was never confirmed: check the tags. It was "
            "not asked again: %(why)s.",
            why=IN_SHORT[outcome],
        )
    return SENTENCES[outcome]


def undecided(attempts: int) -> LazyText:
    return ngettext(
        "It could not be decided in %(n)s attempt; see the panel’s log.",
        "It could not be decided in %(n)s attempts; see the panel’s log.",
        attempts,
    )


def in_short(outcomes: Counter[str]) -> str:
    """Return why the items were not done, each reason once."""
    reasons = (IN_SHORT.get(Outcome(each), Outcome(each).value) for each in sorted(outcomes) if each)
    return joined(reasons, "%(first)s, %(next)s")


class Stopped(Exception):
    """Nothing more will be changed: the registry is not as it was when this was asked for."""

    def __init__(self, outcome: Outcome, detail: str = "") -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.detail = detail


class Failed(Stopped):
    """The registry would not do it."""
