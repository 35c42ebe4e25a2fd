"""How a webhook and its deliveries stand, in words and tones for lists. PURE."""

from dataclasses import dataclass

from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _
from namespaces.webhooks.attempts import is_success


@dataclass(frozen=True, slots=True)
class StateText:
    """`tone` is as the state cells of pages have it. `why` is "" where there is nothing to add."""

    text: LazyText
    tone: str
    why: str = ""


def answer_text(status: int | None, problem: str) -> str:
    """Return what an attempt met: an HTTP status, or what was wrong; "" before the first."""
    if problem or status is None:
        return problem
    return _("The receiver answered %(status)s.", status=str(status))


def webhook_state(*, enabled: bool, reason: str, tried: bool, status: int | None, problem: str) -> StateText:
    """Say how a webhook stands.

    `reason`: why the panel switched it off; "" where a person did. The rest is of the last attempt.
    """
    if not enabled:
        return StateText(_("switched off"), "bad" if reason else "none", reason)
    if not tried:
        return StateText(_("on, nothing sent yet"), "none")
    if is_success(status):
        return StateText(_("on, working"), "good")
    return StateText(_("on, but failing"), "warn", answer_text(status, problem))


def attempt_state(*, status: int | None, problem: str) -> StateText:
    """Say how an attempt went after which there was another."""
    why = answer_text(status, problem)
    if not why:
        return StateText(_("not known"), "none", _("The next attempt began before its end was noted."))
    return (
        StateText(_("delivered"), "good", why) if is_success(status) else StateText(_("failed"), "bad", why)
    )


def delivery_state(
    *, state: str, enabled: bool, attempts: int, status: int | None, problem: str
) -> StateText:
    """Say how one message stands. `enabled`: of the webhook; `attempts`: how many there were."""
    why = answer_text(status, problem)
    if state == "delivered":
        return StateText(_("delivered"), "good", why)
    if state == "failed":
        return StateText(_("given up"), "bad", why)
    if not enabled:
        return StateText(_("waits until the webhook is on"), "none", why)
    if attempts and not why:  # an attempt is noted before it is made
        return StateText(_("being sent"), "none")
    return StateText(_("will be tried again"), "warn", why) if attempts else StateText(_("waiting"), "none")
