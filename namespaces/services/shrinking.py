"""Replaces a user's grants by the smallest that would have served what it did."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.common.errors import Conflict, NotFound
from accounts.models import RegistryUser
from accounts.principal import Principal
from namespaces.ledger import shrinking
from namespaces.ledger.smallest import Step
from namespaces.models import Grant
from namespaces.services import grants


@transaction.atomic
def shrink(*, by: Principal, user: RegistryUser, digest: str) -> int:
    """Do what was proposed; return how many grants changed. Each is audited.

    `digest` is of the proposal that was shown. Raise Conflict when it is another one now, and NotFound.
    """
    if not RegistryUser.objects.select_for_update().filter(pk=user.pk).first():
        raise NotFound
    proposal = shrinking.propose(user)
    if proposal.digest != digest:
        raise Conflict.on("proposal_digest", _("What is proposed has changed meanwhile. Look at it again."))
    held = {
        (grant.namespace_id, grant.image_name): grant
        for grant in Grant.objects.select_for_update().filter(user=user).order_by("pk")
    }
    # What goes makes room for what comes.
    for step in sorted(proposal.steps, key=lambda step: step.after is not None):
        grant = held.get(step.place)
        if grant:
            grant.user, grant.namespace = user, proposal.namespaces[step.place.namespace]
        _take(by, user, proposal, step, grant)
    return len(proposal.steps)


def _take(
    by: Principal, user: RegistryUser, proposal: shrinking.Proposal, step: Step, grant: Grant | None
) -> None:
    if not step.after:
        assert grant
        grants.remove(by=by, grant=grant)
    elif step.before:
        assert grant
        grants.change(by=by, grant=grant, level=step.after.level.word, expires_at=step.after.expires_at)
    else:
        namespace = proposal.namespaces[step.place.namespace]
        grants.give(
            by=by, namespace=namespace, user=user, level=step.after.level.word,
            image_name=step.place.image_name, expires_at=step.after.expires_at,
        )  # fmt: skip
