"""Proposes smaller grants for a user: what would have served its confirmed uses, and what that would break."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min
from django.utils import timezone

from accounts.models import RegistryUser
from namespaces.access import Action, Level
from namespaces.ledger import breakage
from namespaces.ledger.breakage import Breakage
from namespaces.ledger.replay import AccessChange, GrantKey
from namespaces.ledger.smallest import Given, Place, Step, needed, smallest, steps
from namespaces.models import Grant, LedgerTotal, Namespace


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to change; no steps where nothing smaller would do, or no use was confirmed.

    `namespaces` by id. `since`: the first request that is kept of this user, None without one.
    """

    user: RegistryUser
    steps: list[Step]
    namespaces: dict[int, Namespace]
    since: datetime | None
    used: bool

    @property
    def digest(self) -> str:
        """Return a fingerprint of what is proposed, which whoever agrees sends back."""
        told = [[*step.place, _told(step.before), _told(step.after)] for step in self.steps]
        return hashlib.sha256(json.dumps([self.user.pk, told]).encode()).hexdigest()


def propose(user: RegistryUser) -> Proposal:
    """Return it in at most three statements. Grants that have ended stay as they are."""
    rows = Grant.objects.live(timezone.now()).filter(user=user).select_related("namespace")
    grants, namespaces = dict[Place, Given](), dict[int, Namespace]()
    for grant in rows:
        grants[Place(grant.namespace_id, grant.image_name)] = Given(Level(grant.level), grant.expires_at)
        namespaces[grant.namespace_id] = grant.namespace
    totals = LedgerTotal.objects.filter(user=user)
    uses = breakage.past_uses(totals.filter(namespace__in=namespaces))
    since = totals.aggregate(at=Min("first_at"))["at"]
    used = any(use.confirmed_count or use.action is Action.DELETE for use in uses)
    after = smallest(needed(uses), grants) if used else grants
    return Proposal(user, steps(grants, after), namespaces, since, used)


def broken_by(proposal: Proposal) -> Breakage:
    """Return what the proposal breaks: tokens for what was asked for, and not used."""
    levels = {
        GrantKey(proposal.user.pk, *step.place): step.after.level if step.after else Level.NONE
        for step in proposal.steps
    }
    return breakage.of_change(proposal.user.account, AccessChange(levels=levels))


def _told(given: Given | None) -> list[object] | None:
    return [int(given.level), given.expires_at.isoformat() if given.expires_at else None] if given else None
