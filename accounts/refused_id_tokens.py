"""ID tokens that a user was refused with, kept so that a person sees what the policy would have to say.

Only genuine ones, of an issuer that the user trusts: what a stranger wrote is never kept. Bounded: the last KEPT of
each user; between two writes MOST are noted, KEPT of one user. Tokens refused for the same reason are one row.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from accounts import dropped_entries
from accounts.common.client_ip import Origin
from accounts.kept_rows import forget_oldest
from accounts.models import DropCounter, RefusedIdToken, RegistryUser, TrustPolicy
from accounts.write_behind import Batch, UserNote

MOST = 1000
KEPT = 20
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Refused(UserNote):
    """`policy_id`: of the policy that it came nearest to. `kind`: of RefusedIdToken. `about`: what tells it apart."""

    policy_id: int
    kind: str
    reason: str
    claims: dict[str, Any]
    origin: Origin
    about: Sequence[str] = ()
    count: int = 1

    @property
    def fingerprint(self) -> str:
        parts = [self.policy_id, self.kind, *self.about]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def key(self) -> tuple[str, ...]:
        return self.username, self.fingerprint

    def merged_with(self, earlier: "Refused") -> "Refused":
        return replace(self, count=self.count + earlier.count)


def _write(notes: list[Refused]) -> None:
    """Write them. A policy may have been deleted meanwhile."""
    ids = {note.policy_id for note in notes}
    policies = TrustPolicy.objects.in_bulk(ids)
    found = [(policies[note.policy_id], note) for note in notes if note.policy_id in policies]
    rows = [_row(policy, note) for policy, note in found]
    RefusedIdToken.objects.bulk_create(rows, ignore_conflicts=True)
    for policy, note in found:
        row = RefusedIdToken.objects.filter(user=policy.user_id, fingerprint=note.fingerprint)
        row.update(
            count=F("count") + note.count,
            at=note.origin.at,
            claims=note.claims,
            reason=note.reason,
            address=note.origin.address,
            client=note.origin.client,
        )
    users = RegistryUser.objects.filter(pk__in={policy.user_id for policy, _note in found})
    beyond: Counter[str] = Counter()
    for user_id, username in users.values_list("pk", "username"):
        rows_of_user = RefusedIdToken.objects.filter(user=user_id)
        for (count,) in forget_oldest(rows_of_user, KEPT, by="at", fields=("count",)):
            beyond[username] += count
    dropped_entries.note(DropCounter.Kind.ID_TOKENS, beyond, timezone.now())


def _row(policy: TrustPolicy, note: Refused) -> RefusedIdToken:
    return RefusedIdToken(
        user_id=policy.user_id,
        issuer_id=policy.issuer_id,
        policy=policy,
        kind=note.kind,
        fingerprint=note.fingerprint,
        at=note.origin.at,
    )


def forget_old(now: datetime) -> None:
    RefusedIdToken.objects.filter(at__lt=now - KEPT_FOR).delete()


refused_id_tokens = Batch(DropCounter.Kind.ID_TOKENS, _write, most=MOST, each=KEPT, merge=Refused.merged_with)
