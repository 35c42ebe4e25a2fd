"""How many namespaces and permissions an account may hold (accounts/limits.py)."""

from django.utils.translation import gettext_lazy as _

from accounts.limits import Limit
from accounts.models import Account
from namespaces.models import Grant, Namespace, ReservedName

NAMESPACES = Limit[Account](
    "namespaces", _("namespaces"),
    _("This account has all %(most)s namespaces that an account may have; deleted ones that held images count, since "
      "their names stay its own. An operator can raise %(setting)s."),
    lambda account: (
        Namespace.objects.filter(account=account).count()
        + ReservedName.objects.filter(only_account_id=account.pk).count()
    ),
)  # fmt: skip
GRANTS = Limit[Account](
    "grants", _("permissions"),
    _("This account has all %(most)s permissions that an account may have. Remove one, or ask an operator to raise "
      "%(setting)s."),
    lambda account: Grant.objects.filter(namespace__account=account).count(),
)  # fmt: skip
