"""Opening, renaming and closing registry accounts."""

from collections.abc import Iterator
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, limits
from accounts.audit_actions import AuditAction
from accounts.common.errors import Invalid
from accounts.models import Account, Member, Person, RegistryUser
from accounts.names import HANDLE_MAX, TITLE_MAX, clean_title, handle_from, make_username
from accounts.principal import Principal
from accounts.roles import Role

# Path words of the account pages that a handle must not shadow.
_RESERVED = frozenset({"new", "admin", "api", "system", "static", "auth", "v2"})


@transaction.atomic
def open_account(*, by: Principal, name: str) -> Account:
    """Make a new account with `by` as its owner. Raise Invalid on `name`."""
    name = _checked(name)
    opener = Person.objects.get(pk=by.person_id)
    limits.make_room(limits.ACCOUNTS, opener, field="name")
    account = _create(name, opener)
    Member.objects.create(account=account, person_id=by.person_id, role=Role.OWNER)
    audit.record(
        by=by, action=AuditAction.ACCOUNT_OPENED, kind="account", id=account.pk, label=name, account=account
    )
    return account


@transaction.atomic
def rename(*, by: Principal, account: Account, name: str) -> Account:
    """Change the display name; the handle, and with it every address, stays."""
    before, account.name = account.name, _checked(name)
    if account.name != before:
        account.save(update_fields=["name"])
        audit.record(by=by, action=AuditAction.ACCOUNT_RENAMED, kind="account", id=account.pk, label=account.name,
                     account=account, before={"name": before}, after={"name": account.name})  # fmt: skip
    return account


@transaction.atomic
def close(*, by: Principal, account: Account, confirmation: str) -> None:
    """Close for good: its users are refused at once, its pages are gone; images stay in the registry."""
    if confirmation != account.handle:
        raise Invalid.on("confirmation", _("Type %(handle)s to confirm.") % {"handle": account.handle})
    account.closed_at = timezone.now()
    account.save(update_fields=["closed_at"])
    users = RegistryUser.objects.filter(account=account).count()
    audit.record(by=by, action=AuditAction.ACCOUNT_CLOSED, kind="account", id=account.pk, label=account.name,
                 account=account, before={"users": users})  # fmt: skip


def _checked(name: str) -> str:
    name = clean_title(name)
    if not name:
        raise Invalid.on("name", _("Give the account a name."))
    if len(name) > TITLE_MAX:
        raise Invalid.on("name", _("Use at most %(most)s characters.") % {"most": TITLE_MAX})
    return name


def _create(name: str, opener: Person) -> Account:
    """Create the row.

    The unique index decides which of two racing accounts gets the handle; the loser takes the next.
    """
    for handle in _handles(handle_from(name)):
        with suppress(IntegrityError), transaction.atomic():
            return Account.objects.create(name=name, handle=handle, opened_by=opener)
    raise AssertionError


def _handles(base: str) -> Iterator[str]:
    """blue, blue-2 … blue-9, then with letters that are drawn: a thousand blues do not make the next one slow."""
    stem = base[: HANDLE_MAX - 7].rstrip("-")
    if base not in _RESERVED:
        yield base
    for number in range(2, 10):
        yield f"{stem}-{number}"
    while True:
        yield f"{stem}-{make_username()[:6]}"
