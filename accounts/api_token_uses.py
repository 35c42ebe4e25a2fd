"""Last use of API tokens: noted in memory, and written later, so that a call that reads writes nothing."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from accounts.common.client_ip import Origin
from accounts.common.fair_share import Owner
from accounts.models import ApiToken
from accounts.write_behind import Batch

MOST = 10_000
EACH = 100  # tokens of one person
WRITE_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiTokenUse:
    token_id: int
    person_id: int
    origin: Origin

    @property
    def owner(self) -> Owner:
        return self.person_id, ""

    @property
    def key(self) -> tuple[str, ...]:
        return (str(self.token_id),)

    @property
    def count(self) -> int:
        return 0  # the next call notes it again


def note(token: ApiToken, origin: Origin) -> None:
    """Note a use, unless one of the last minute is stored."""
    if token.last_used_at is None or token.last_used_at < origin.at - WRITE_INTERVAL:
        uses.note(ApiTokenUse(token.pk, token.person_id, origin))


def _write(notes: list[ApiTokenUse]) -> None:
    for use in notes:
        rows = ApiToken.objects.filter(pk=use.token_id)
        earlier = use.origin.at - WRITE_INTERVAL
        rows.filter(Q(last_used_at=None) | Q(last_used_at__lt=earlier)).update(
            last_used_at=use.origin.at,
            last_used_from=use.origin.address,
            last_used_with=use.origin.client,
        )


uses = Batch("uses of API tokens", _write, most=MOST, each=EACH)
