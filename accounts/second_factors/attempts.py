"""Slows down guessing of second factors, as log-ins are: by person *and* place (docs/adr/0007).

Whoever guesses codes knows the password already, and a code has six digits only: so wrong ones are counted for the
person from everywhere, too. Passkeys cannot be guessed, and go on working then.
"""

from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.core.internal import ratelimit

from accounts.common.client_ip import client_network
from accounts.models import Person

HERE: Final = "login_failed"
ANYWHERE: Final = "second_factor_failed"


class Attempt:
    """Counted before it is known whether it is right: of many at once none is overlooked."""

    def __init__(self, person: Person, *, guessable: bool) -> None:
        """Raise ValidationError when there were too many."""
        place = f"{client_network(context.request.META)} second factor {person.pk}"
        self._counts: list[Any] = []
        self._count(HERE, place, "too_many_login_attempts")
        if guessable:
            self._count(ANYWHERE, f"second factor {person.pk}", "too_many_codes")

    def succeeded(self) -> None:
        """Take it out of the counts: it was no guess."""
        for each in self._counts:
            each.rollback()

    def _count(self, action: str, key: str, problem: str) -> None:
        count = ratelimit.consume(context.request, app="allauth.account", action=action, key=key)
        if not count:
            raise get_adapter().validation_error(problem)
        self._counts.append(count)
