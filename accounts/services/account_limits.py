"""Limits of one account, which operators set in place of the installation's (accounts/limits.py)."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Invalid
from accounts.limits import Limit
from accounts.models import Account
from accounts.principal import Principal

MOST = 10_000_000


@transaction.atomic
def change(
    *, by: Principal, account: Account, limits: Iterable[Limit[Account]], values: Mapping[str, int | None]
) -> Account:
    """Change what is given. `values`: a limit's key → None for the setting, 0 for any number.

    What is held already stays, even where it is more. Raise Invalid on a key.
    """
    columns = {each.key: each.column for each in limits}
    problems = {
        key: [_("Between 0 and %(most)s.") % {"most": MOST}]
        for key, value in values.items()
        if value is not None and not 0 <= value <= MOST
    }
    if problems:
        raise Invalid(problems)
    row = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    before = {key: getattr(row, column) for key, column in columns.items()}
    after = {**before, **values}
    changed = [key for key in columns if after[key] != before[key]]
    if changed:
        for key in changed:
            setattr(row, columns[key], after[key])
        row.save(update_fields=[columns[key] for key in changed])
        audit.record(
            by=by, action=AuditAction.ACCOUNT_LIMITS_CHANGED, kind="account", id=row.pk, label=row.name,
            account=row, before={key: before[key] for key in changed}, after={key: after[key] for key in changed},
        )  # fmt: skip
    return row
