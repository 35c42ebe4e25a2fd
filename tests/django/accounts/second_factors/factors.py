"""Second factors for tests, made without a browser, and the codes that an app would show."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp

from accounts.models import Person

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = 30  # seconds


def add_app(person: Person) -> Authenticator:
    row: Authenticator = totp.TOTP.activate(person, SECRET).instance
    return row


def add_recovery_codes(person: Person) -> list[str]:
    codes: list[str] = RecoveryCodes.activate(person).generate_codes()
    return codes


def code(secret: str = SECRET, *, later: int = 0) -> str:
    """What the app shows now, or so many steps later."""
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // STEP + later)))


def wrong_code(secret: str = SECRET) -> str:
    """Six digits that the app shows neither now nor a minute before or after."""
    shown = {code(secret, later=step) for step in range(-3, 4)}
    return next(each for each in (f"{number:06}" for number in range(10)) if each not in shown)


def add_passkey_row(person: Person) -> Authenticator:
    """A row alone: nothing can sign in with it."""
    row: Authenticator = Authenticator.objects.create(
        user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop", "credential": {}}
    )
    return row
