"""What operators do to a whole account, where more than the account itself is concerned."""

from datetime import timedelta

from django.db import transaction

from accounts.models import Account
from accounts.principal import Principal
from accounts.services import suspension
from registry_sync.retention import clock_guard


@transaction.atomic
def restore(*, by: Principal, account: Account) -> None:
    """End its suspension. Rules that count days are off after a day of it. Raise Conflict when it is closed."""
    lasted = suspension.restore(by=by, account=account)
    if lasted >= timedelta(days=1):
        clock_guard.disable_rules_of(account, lasted)
