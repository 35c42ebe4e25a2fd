"""Who needs a second factor. PURE."""

from enum import StrEnum


class RequiredOf(StrEnum):
    """Of whom the installation requires one."""

    NOBODY = "nobody"
    OPERATORS = "operators"
    EVERYBODY = "everybody"


def is_shut_out(required_of: RequiredOf, *, operator: bool, has_factor: bool) -> bool:
    """Return whether a person sees nothing but the pages on which they set one up."""
    if has_factor:
        return False
    return required_of is RequiredOf.EVERYBODY or (required_of is RequiredOf.OPERATORS and operator)


def is_account_closed(*, required: bool, has_factor: bool) -> bool:
    """Return whether a member does not get into an account, which requires one or not."""
    return required and not has_factor
