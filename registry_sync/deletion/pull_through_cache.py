"""A pull-through cache takes no changes, so nothing is requested that it would refuse."""

from django.conf import settings

from accounts.common.errors import Conflict
from accounts.common.translation import translate
from registry_sync.deletion.outcomes import SENTENCES, Outcome


def refusal() -> str:
    """Return why nothing can be changed in the registry, as a LazyText; "" where it can."""
    return SENTENCES[Outcome.PULL_THROUGH_CACHE] if settings.REGISTRY_IS_PULL_THROUGH_CACHE else ""


def refuse_changes() -> None:
    """Raise Conflict where the registry is a pull-through cache."""
    if why := refusal():
        raise Conflict.on("", translate(why))
