"""Judges, step by step, what came of trying a username and password as a client does. PURE."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from accounts.common.lazy_text import lazy as _
from registry_sync.doctor.observations import Answer

SKEW_MAX: Final = timedelta(seconds=60)  # the registry's leeway
DNS: Final = "NameResolutionError"
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _UNAVAILABLE = 200, 401, 403, 404, 429, 503
_TIMEOUTS: Final = ("ConnectTimeout", "ReadTimeout")


@dataclass(frozen=True, slots=True)
class Step:
    """`request` as "GET https://…", `answer` as it came; `problem`: what is wrong, in a sentence, "" for nothing."""

    title: str
    request: str
    answer: str
    seconds: float
    problem: str = ""

    @property
    def good(self) -> bool:
        return not self.problem


def no_answer(answer: Answer, host: str) -> str:
    if answer.error == DNS:
        return _("The name %(host)s is not known here. Check DNS.", host=host)
    if answer.error == "SSLError":
        return _("The certificate of %(host)s is not trusted here, or is for another name.", host=host)
    if answer.error in _TIMEOUTS:
        return _("%(host)s did not respond in time. A firewall may be in the way.", host=host)
    return _(
        "%(host)s cannot be reached from here: %(error)s. Check that it runs, its port, and firewalls.",
        host=host,
        error=answer.error,
    )


def challenge(answer: Answer, host: str) -> str:
    """Judge the answer to GET /v2/ without a token."""
    if not answer.status:
        return no_answer(answer, host)
    if answer.location:
        return redirected(answer, host)
    if answer.status == _OK:
        return _(
            "The registry asks for no token: its `auth.token` is not set, so everybody may do everything."
        )
    if answer.status == _NOT_FOUND:
        return _(
            "404: a proxy or another server answers at %(host)s. It must pass /v2/ on to the registry.",
            host=host,
        )
    if answer.status != _UNAUTHORIZED:
        return _("The registry returns %(status)s instead of 401.", status=answer.status)
    if "realm" not in answer.parameters:
        return _("The answer has no Bearer challenge, so clients do not know where to get a token.")
    return ""


def realm(answer: Answer, expected: str) -> str:
    """Judge where the challenge sends clients to."""
    found = answer.parameters["realm"]
    if found == expected:
        return ""
    return _(
        "The registry sends clients to %(found)s for a token, and the panel is at %(expected)s. The password was not "
        "sent there. Set `auth.token.realm` of the registry.",
        found=found,
        expected=expected,
    )


def login(answer: Answer, host: str, *, has_token: bool) -> str:
    """Judge the token server's answer to the username and password."""
    if not answer.status:
        return no_answer(answer, host)
    if answer.location:
        return redirected(answer, host)
    if answer.status == _UNAUTHORIZED:
        return _(
            "The token server refuses this username and password: the user is disabled, or either has expired."
        )
    if answer.status == _NOT_FOUND:
        return _("404: the proxy does not pass the token address on to the panel.")
    if answer.status == _TOO_MANY:
        return _("Too many wrong passwords came from this address; wait a minute.")
    if answer.status == _UNAVAILABLE:
        return _("The panel cannot issue tokens now. System → Doctor says why.")
    if answer.status != _OK or not has_token:
        return _("The token server returns %(status)s and no token.", status=answer.status)
    return ""


def acceptance(answer: Answer, host: str) -> str:
    """Judge the registry's answer to a token that the panel has just issued."""
    if answer.status == _OK:
        return ""
    if not answer.status:
        return no_answer(answer, host)
    if answer.status != _UNAUTHORIZED:
        return _("The registry returns %(status)s to a valid token.", status=answer.status)
    if (skew := skew_of(answer)) > SKEW_MAX:
        return _(
            "The clocks of registry and panel are %(seconds)s s apart, so the registry refuses the token.",
            seconds=int(skew.total_seconds()),
        )
    return _(
        "The registry does not trust the panel’s tokens: issuer, service or certificate in its `auth.token` are not "
        "the panel’s. System → Doctor shows the right ones."
    )


def repository(answer: Answer, host: str, *, wanted: list[str], granted: list[str]) -> str:
    """Judge a permission: what the token allows, and the registry's answer to reading with it."""
    missing = [action for action in wanted if action not in granted]
    if missing:
        return _(
            "The token does not allow %(actions)s, though a permission does.", actions=", ".join(missing)
        )
    if answer.status in (_OK, _NOT_FOUND):  # 404: nothing was pushed yet
        return ""
    if answer.status in (_UNAUTHORIZED, _FORBIDDEN):
        return acceptance(answer, host)
    return (
        no_answer(answer, host)
        if not answer.status
        else _("The registry returns %(status)s.", status=answer.status)
    )


def redirected(answer: Answer, host: str) -> str:
    return _(
        "%(host)s redirects to %(location)s. Clients send no password there, and neither does this test.",
        host=host,
        location=answer.location,
    )


def skew_of(answer: Answer) -> timedelta:
    if not answer.date or not answer.asked_at:
        return timedelta()
    return abs(answer.date - answer.asked_at)
