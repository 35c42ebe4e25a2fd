"""What an account holds, for its Settings page: a page of the lowest room that shows what all of them know."""

from django import template

from accounts.limits import Holding, holdings
from accounts.models import Account
from registry_sync.limits import OF_ACCOUNT

register = template.Library()


@register.simple_tag
def limits_of(account: Account) -> list[Holding]:
    return holdings(OF_ACCOUNT, account)
