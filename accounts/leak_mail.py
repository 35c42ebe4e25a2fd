"""Tells the people whose password or API token leaked that it was ended. Call inside the transaction that ends it."""

import logging

from accounts import notices
from accounts.models import ApiToken, Secret
from accounts.principal import Kind, Principal

log = logging.getLogger(__name__)


def tell_owners(*, by: Principal, row: Secret | ApiToken) -> None:
    """Tell those who may make a new one. What leaked is ended even where no mail can be written."""
    facts = {"shown": f"…{row.hint}", "by": by.label if by.kind is Kind.PERSON else "", "address": by.address}
    try:
        if isinstance(row, Secret):
            notices.tell_managers(row.user.account, "password_leaked", facts | {"user": row.user})
        else:
            notices.tell(row.person, "token_leaked", facts | {"token": row})
    except OSError as error:
        log.warning("a mail could not be written: %s", type(error).__name__)
