"""Who may press which button, in words, for templates."""

from accounts import permissions
from accounts.models import Account
from accounts.principal import Principal
from accounts.roles import Act, may, refusal
from accounts.speech import spoken


def why_not(by: Principal, account: Account, act: Act) -> str:
    """Return the sentence that refuses `act`; "" when the role allows it."""
    role = permissions.role(by, account)
    return "" if may(role, act) else spoken(refusal(role, act))
