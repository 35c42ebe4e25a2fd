"""How many retention rules an account may hold, and all limits of an account in their order."""

from django.utils.translation import gettext_lazy as _

from accounts.limits import INVITATIONS, MEMBERS, USERS, Limit
from accounts.models import Account
from namespaces.limits import GRANTS, NAMESPACES
from registry_sync.models import RetentionRule

RETENTION_RULES = Limit[Account](
    "retention_rules", "MAX_RETENTION_RULES_PER_ACCOUNT", _("retention rules"),
    _(
        "This account has reached its limit of retention rules (%(most)s). Delete one, or ask an operator "
        "to raise %(setting)s."
    ),
    lambda account: (RetentionRule.objects.filter(namespace__account=account),),
    column="max_retention_rules",
)  # fmt: skip
OF_ACCOUNT = (NAMESPACES, USERS, GRANTS, MEMBERS, INVITATIONS, RETENTION_RULES)
