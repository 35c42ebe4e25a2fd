"""What the doctor saw, as plain values. PURE."""

import re
from dataclasses import dataclass
from datetime import datetime

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """How the panel is set up; what the registry should be set up for."""

    public_url: str
    registry_url: str
    registry_host: str
    service: str
    issuer: str
    ca_file: str
    ca_fingerprint: str
    hook_file: str
    events_url: str
    realm: str  # where clients get their tokens
    slow: float  # seconds, of an answer of the panel's
    is_cache: bool = False  # the panel was told that the registry is a pull-through cache


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `status` 0 and `error` when there was none."""

    status: int = 0
    error: str = ""  # the kind of failure, as SSLError
    challenge: str = ""  # WWW-Authenticate
    location: str = ""
    date: datetime | None = None
    asked_at: datetime | None = None
    seconds: float = 0.0
    codes: frozenset[str] = frozenset()  # of the registry's error body

    @property
    def parameters(self) -> dict[str, str]:
        """realm, service and so on of a Bearer challenge."""
        kind, _space, rest = self.challenge.partition(" ")
        return dict(_PARAMETER.findall(rest)) if kind.lower() == "bearer" else {}


@dataclass(frozen=True, slots=True)
class TokenProbe:
    """`issuer`: with which the registry takes our tokens, "" when it takes none. `anybody`: it takes a stranger's."""

    issuer: str
    anybody: bool


@dataclass(frozen=True, slots=True)
class VersionAnswers:
    """What tells one release of Distribution from another.

    The answers to a digest that is none, to a page of fewer than no tags, and to the beginning of a push.
    """

    digest: Answer
    page: Answer
    upload: Answer


@dataclass(frozen=True, slots=True)
class Pulled:
    """One image fetched as a client does.

    `lost`: what of it did not come, and how. `origin`: where the registry sends clients on to for its layers, ""
    where it gives them itself; `astray`: why they did not come from there.
    """

    name: str
    lost: str = ""
    origin: str = ""
    astray: str = ""


@dataclass(frozen=True, slots=True)
class EventProbe:
    """`after` seconds until it arrived, None when it did not."""

    after: float | None
    refused: bool = False  # events with another key came meanwhile
    problem: str = ""  # why nothing could be made to happen
    redirected: bool = False  # the registry came meanwhile as one comes who was sent on
    location: str = ""  # where the panel's address for events sends on to


@dataclass(frozen=True, slots=True)
class Schema1Images:
    """What is known of images of Docker's first form.

    `names`: some of them, as IMAGE@DIGEST, or IMAGE where nobody knows the digest; `count`: all; `read`: whether the
    registry still can.
    """

    count: int
    names: tuple[str, ...] = ()
    read: bool = True


@dataclass(frozen=True, slots=True)
class Certificate:
    name: str
    ends: datetime
    path: str
