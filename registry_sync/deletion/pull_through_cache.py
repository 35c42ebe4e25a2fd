"""A pull-through cache takes no changes: that is said before anybody asks for one."""

from django.conf import settings

from accounts.common.errors import Conflict
from registry_sync.deletion.outcomes import SENTENCES, Outcome


def refusal() -> str:
    """Why nothing can be changed in the registry; "" where it can."""
    return str(SENTENCES[Outcome.PULL_THROUGH_CACHE]) if settings.REGISTRY_IS_PULL_THROUGH_CACHE else ""


def demand_none() -> None:
    """Refuse what a cache cannot do. Raises Conflict."""
    if why := refusal():
        raise Conflict.on("", why)
