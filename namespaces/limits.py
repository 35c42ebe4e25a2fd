"""How many namespaces and permissions an account may hold (accounts/limits.py)."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.limits import Limit
from accounts.models import Account
from namespaces.models import Grant, Namespace, ReservedName


def _names(account: Account) -> tuple[QuerySet[Any], ...]:
    """Namespaces that are, and names of those that were: a name stays its account's."""
    live = Namespace.objects.filter(account=account)
    return live, ReservedName.objects.filter(account=account).exclude(name__in=live.values("name"))


NAMESPACES = Limit[Account](
    "namespaces",
    "MAX_NAMESPACES_PER_ACCOUNT",
    _("namespaces"),
    _(
        "This account has reached its limit of namespaces (%(most)s). Deleted namespaces count, because "
        "their names stay reserved for the account. An operator can raise %(setting)s."
    ),
    _names,
    column="max_namespaces",
)
GRANTS = Limit[Account](
    "grants",
    "MAX_GRANTS_PER_ACCOUNT",
    _("permissions"),
    _(
        "This account has reached its limit of permissions (%(most)s). Remove one, or ask an operator to "
        "raise %(setting)s."
    ),
    lambda account: (Grant.objects.filter(namespace__account=account),),
    column="max_grants",
)
