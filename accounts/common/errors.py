"""What can go wrong, in words for people. The doors translate: pages and API to HTTP, tasks to an outcome."""

from typing import Self

from accounts.common.lazy_text import lazy as _


class DomainError(Exception):
    """Base of all. `message` may be shown to the person who acted."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DomainError):
    """Not there, or not for you: the two look alike."""

    def __init__(self, message: str = _("Not found.")) -> None:
        super().__init__(message)


class Forbidden(DomainError):
    """You may see it, and you may not do this to it. `message` is the reason; `code` is what the API calls it."""

    code = "permission_denied"


class Invalid(DomainError):
    """Input that cannot be taken. `errors` maps a field to sentences; "" is the whole form."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(" ".join(sentence for each in errors.values() for sentence in each))
        self.errors = errors

    @classmethod
    def on(cls, field: str, sentence: str) -> Self:
        return cls({field: [sentence]})

    def renamed(self, **names: str) -> Self:
        """Return the same, said of a door's own fields: `renamed(image_name="image")`."""
        return type(self)({names.get(field, field): each for field, each in self.errors.items()})


class Conflict(Invalid):
    """Good input that meets something which is already there."""


class Unavailable(DomainError):
    """A part we need does not answer; trying again later is right."""


class RateLimited(DomainError):
    """Too much at once, or too often; after `wait` seconds it is good again."""

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait
