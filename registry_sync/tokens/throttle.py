"""The token server's throttle of wrong passwords: a right one is never counted, delayed or refused."""

from accounts.common.client_ip import Origin
from accounts.common.password_throttle import PasswordThrottle
from registry_sync.tokens.request import TokenError

# Seconds until a wrong password is told so, where nobody waits behind it: few connections are then no flood.
PAUSE = 0.25

throttle = PasswordThrottle()


def failed(username: str, origin: Origin, sentence: str) -> TokenError:
    """Count a wrong password, or an ID token that nobody signed. Return the answer to it."""
    wait = throttle.failed(origin.address, username, now=int(origin.at.timestamp()))
    if wait:
        return TokenError(
            429, "TOOMANYREQUESTS", "Too many wrong passwords; wait a minute.", retry_after=wait
        )
    return TokenError(401, "UNAUTHORIZED", sentence)
