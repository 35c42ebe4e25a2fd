"""A user that somebody names in a field: suggestions while they type, and who is meant in the end."""

import re

from django.db.models import Q

from accounts.common.errors import Invalid
from accounts.common.lazy_text import lazy as _
from accounts.models import Account, RegistryUser
from accounts.names import USERNAME

SUGGESTED = 20
_LABEL = re.compile(rf"(.*) \(({USERNAME.pattern})\)", re.DOTALL)


def label(user: RegistryUser) -> str:
    """Return "CI deploy (wsbq5k5ysqyt)", which `named` understands."""
    return f"{user.description} ({user.username})"


def suggested(account: Account, typed: str) -> list[RegistryUser]:
    """Return users by description: at most SUGGESTED, and one more to say that there are more."""
    typed = typed.strip()
    users = RegistryUser.objects.filter(account=account)
    if chosen := _LABEL.fullmatch(typed):
        users = users.filter(username=chosen[2])
    elif typed:
        users = users.filter(Q(description__icontains=typed) | Q(username__icontains=typed))
    return list(users.order_by("description", "id")[: SUGGESTED + 1])


def named(account: Account, typed: str) -> RegistryUser:
    """Return the user with this username, label or description. Raise Invalid on "user" for none and for several."""
    typed = typed.strip()
    users = RegistryUser.objects.filter(account=account)
    by_username = Q(username=typed.lower())
    if chosen := _LABEL.fullmatch(typed):
        by_username |= Q(description=chosen[1], username=chosen[2])
    for meant in (by_username, Q(description=typed), Q(description__iexact=typed)):
        found = list(users.filter(meant).order_by("id")[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise Invalid.on("user", _("Several users have this description. Enter the username of one."))
    raise Invalid.on("user", _("This account has no user with this username or description."))
