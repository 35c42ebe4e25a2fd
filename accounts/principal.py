"""Who acts. PURE."""

from dataclasses import dataclass
from enum import StrEnum

from accounts.common.lazy_text import lazy as _


class Kind(StrEnum):
    PERSON = "person"
    USER = "user"  # of the registry, by its own password
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The one who acts, as every write and every gate wants it in `by=`.

    `id` is the primary key of the person or user, None for the system; `address` the client's IP, `client` its browser
    or program as `user_agent.browser` returns it, "" when there is none. `second_factor`: whether a person has one.

    An API token narrows it: `read_only`, and `only_account`, the handle of the one account that it reaches ("": all).
    """

    kind: Kind
    id: int | None
    label: str
    address: str = ""
    client: str = ""
    operator: bool = False
    read_only: bool = False
    only_account: str = ""
    second_factor: bool = False

    @property
    def person_id(self) -> int:
        """For what is the person's own: the person's primary key, or 0, which no row has."""
        return (self.id if self.kind is Kind.PERSON else None) or 0

    def person_in(self, handle: str) -> int:
        """For what is an account's: as `person_id`; also 0 where the token does not reach the account."""
        return self.person_id if self.only_account in ("", handle) else 0


SYSTEM = Principal(kind=Kind.SYSTEM, id=None, label=_("system"))
GROUPS = Principal(kind=Kind.SYSTEM, id=None, label=_("system (groups at sign-in)"))
RETENTION = Principal(kind=Kind.SYSTEM, id=None, label=_("system (retention rule)"))
RESTORE = Principal(kind=Kind.SYSTEM, id=None, label=_("system (restored from a backup)"))
