"""Last use of users."""

from dataclasses import dataclass

from django.db.models import Q

from accounts.common.client_ip import Origin
from accounts.models import DropCounter, RegistryUser
from accounts.write_behind import Batch, UserNote

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Use(UserNote):
    origin: Origin


def _write(notes: list[Use]) -> None:
    for use in notes:
        rows, origin = RegistryUser.objects.filter(username=use.username), use.origin
        newer = rows.filter(Q(last_used_at=None) | Q(last_used_at__lt=origin.at))
        newer.update(last_used_at=origin.at, last_used_from=origin.address, last_used_with=origin.client)


uses = Batch(DropCounter.Kind.USES, _write, most=MOST, each=1)
