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

    `id` is the primary key of the person or user, None for the system; `address` the client's IP, "" when there is
    none.
    """

    kind: Kind
    id: int | None
    label: str
    address: str = ""
    operator: bool = False

    @property
    def person_id(self) -> int:
        """For look-ups: the person's primary key, or 0, which no row has."""
        return (self.id if self.kind is Kind.PERSON else None) or 0


SYSTEM = Principal(kind=Kind.SYSTEM, id=None, label=_("system"))
RETENTION = Principal(kind=Kind.SYSTEM, id=None, label=_("system (retention rule)"))
