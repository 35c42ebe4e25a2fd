"""The token server's throttle of wrong passwords: a right one is never counted, delayed or refused."""

from accounts.common.password_throttle import PasswordThrottle

# Seconds until a wrong password is told so, where nobody waits behind it: few connections are then no flood.
PAUSE = 0.25

throttle = PasswordThrottle()
