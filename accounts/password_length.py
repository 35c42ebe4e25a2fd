"""How long a person's password may be: work that grows with it is done before anybody is known."""

from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from accounts.names import PASSWORD_MAX


class MaximumLengthValidator:
    """The other end of Django's MinimumLengthValidator; said in the field beforehand."""

    def validate(self, password: str, user: object = None) -> None:
        if len(password) > PASSWORD_MAX:
            words = ngettext(
                "This password is too long: it may have at most %(most)d character.",
                "This password is too long: it may have at most %(most)d characters.",
                PASSWORD_MAX,
            )
            raise ValidationError(words, code="password_too_long", params={"most": PASSWORD_MAX})

    def get_help_text(self) -> str:
        words = ngettext(
            "Your password may have at most %(most)d character.",
            "Your password may have at most %(most)d characters.",
            PASSWORD_MAX,
        )
        return words % {"most": PASSWORD_MAX}
