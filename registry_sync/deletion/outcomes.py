"""How an item of a removal ended, in one word for programs and one sentence for people."""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Outcome(StrEnum):
    DONE = "done"
    GONE = "gone"
    LOST = "lost"
    MOVED = "moved"
    HELD = "held"
    KEPT = "kept"
    UNCERTAIN = "uncertain"
    UNREADABLE = "unreadable"
    DISABLED = "disabled"
    READ_ONLY = "read_only"
    CACHE = "cache"
    DECLINED = "declined"
    NOT_THERE = "not_there"
    SILENT = "silent"
    ASIDE = "aside"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


SENTENCES: dict[Outcome, Promise] = {
    Outcome.DONE: _("Done, and seen to be so in the registry."),
    Outcome.GONE: _("It was gone from the registry already."),
    Outcome.LOST: _(
        "The tag is removed. The registry does not hold its image any more either, so it cannot be put back."
    ),
    Outcome.MOVED: _("The tag points at something else since this was asked for, so nothing was done."),
    Outcome.HELD: _("Something else needs it that was not named when this was confirmed, so it was not deleted."),
    Outcome.KEPT: _("It belongs to an image that was not deleted, so it stays too."),
    Outcome.UNCERTAIN: _("The registry did not show all tags of this image, so nothing was deleted. Try again later."),
    Outcome.UNREADABLE: _(
        "Something in this image cannot be read and may need it, so it was not deleted. Delete that first."
    ),
    Outcome.DISABLED: _(
        "Deletion is switched off in the registry, so nothing was changed. To allow it, set storage: delete: enabled: "
        "true in its configuration (or REGISTRY_STORAGE_DELETE_ENABLED=true) and restart it. A pull-through cache "
        "(proxy: remoteurl) deletes nothing in any case: then tell the panel that it is one "
        "(REGISTRY_IS_PULL_THROUGH_CACHE=true)."
    ),
    Outcome.READ_ONLY: _(
        "The registry takes no changes now, so nothing was changed. It is read-only (storage: maintenance: readonly: "
        "enabled: true in its configuration), perhaps while its garbage collection runs."
    ),
    Outcome.CACHE: _("The registry is a pull-through cache and takes no changes: make them in the registry behind it."),
    Outcome.DECLINED: _("The registry refused, so nothing was changed."),
    Outcome.NOT_THERE: _("The registry does not hold this image any more, so it cannot be put back."),
    Outcome.SILENT: _("The registry gave no usable answer for so long that this was given up."),
    Outcome.ASIDE: _("The panel’s workers died while they did this, so it was given up. Operators see more on System."),
    Outcome.WITHDRAWN: _("The rule was changed or switched off before its turn came, so nothing was done."),
    Outcome.CANCELLED: _("It was stopped before its turn came, so nothing was done."),
}  # fmt: skip


IN_SHORT: dict[Outcome, Promise] = {
    Outcome.MOVED: _("the tag points elsewhere meanwhile"),
    Outcome.HELD: _("something else needs it"),
    Outcome.KEPT: _("it belongs to an image that stays"),
    Outcome.UNCERTAIN: _("not all tags could be seen"),
    Outcome.UNREADABLE: _("something in the image cannot be read and may need it"),
    Outcome.DISABLED: _("deletion is switched off in the registry, or it is a pull-through cache"),
    Outcome.READ_ONLY: _("the registry is read-only"),
    Outcome.CACHE: _("the registry is a pull-through cache"),
    Outcome.DECLINED: _("the registry refused"),
    Outcome.NOT_THERE: _("the registry no longer holds all of it"),
    Outcome.SILENT: _("the registry gave no usable answer"),
    Outcome.ASIDE: _("workers died of it"),
    Outcome.WITHDRAWN: _("the rule was changed or switched off"),
    Outcome.CANCELLED: _("it was stopped"),
}


# What ends an item with no word of the registry on what it was asked before.
UNANSWERED = frozenset({
    Outcome.MOVED, Outcome.HELD, Outcome.KEPT, Outcome.UNCERTAIN, Outcome.UNREADABLE, Outcome.SILENT,
    Outcome.WITHDRAWN,
})  # fmt: skip


def sentence(word: str, *, begun: bool) -> str:
    """For people; "" for what has no outcome yet. `begun`: the registry had been asked to do it."""
    if not word:
        return ""
    outcome = Outcome(word)
    if begun and outcome in UNANSWERED:
        words = gettext(
            "The registry was asked to do it and that was never seen done, so it may be done or not; look at the tags. "
            "Not asked again, because: %(why)s."
        )
        return words % {"why": IN_SHORT[outcome]}
    return str(SENTENCES[outcome])


class Stopped(Exception):
    """Nothing more will be changed: the registry is not as it was when this was asked for."""

    def __init__(self, outcome: Outcome, detail: str = "") -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.detail = detail


class Failed(Stopped):
    """The registry would not do it."""
