"""Run inside `manage.py shell`: 1,000,000 entries of the access ledger, of 60 days.

A fifth is in one namespace, which is public; a tenth is one user's.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account, Member, Person, RegistryUser
from namespaces.models import Grant, LedgerEntry, Namespace

DAYS, USERS, SPACES = 60, 1000, 100
NOON = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
COLUMNS = (
    "account_id, user_id, secret, namespace_id, image_name, action, count, confirmed_count,"
    " networks, address, client"
)


def fill() -> None:
    account = Account.objects.create(name="Ledger", handle="ledger")
    Member.objects.create(account=account, person=Person.objects.create_user("l@example.com"), role="owner")
    users = RegistryUser.objects.bulk_create(
        RegistryUser(account=account, username=f"user{n:08}", description=f"User {n}") for n in range(USERS)
    )
    spaces = Namespace.objects.bulk_create(
        Namespace(account=account, name="big" if n == 0 else f"space{n}", public=n == 0)
        for n in range(SPACES)
    )
    Grant.objects.bulk_create(
        Grant(user=user, namespace=space, level=2, created_at=NOON - timedelta(days=DAYS + 9))
        for number, user in enumerate(users)
        for space in (spaces if number == 0 else [spaces[1 + number % 99]])
    )
    # (user, namespace, image, action) of each day
    ci = ((users[0], spaces[1 + n % 99], f"i{n}", action) for n in range(833) for action in ("pull", "push"))
    big = ((users[n % 333], spaces[0], f"i{n // 333}", "pull") for n in range(3333))
    rest = (
        (users[n % 999 + 1], spaces[1 + (n % 999 + 1) % 99], f"i{n // 999}", action)
        for n in range(20_000)
        for action in ("pull", "push")
    )
    each_day = [*ci, *big]
    each_day += list(islice(rest, 1_000_000 // DAYS - len(each_day)))
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
        LedgerEntry.objects.bulk_create(
            [_entry(account, NOON, number, *where) for number, where in enumerate(each_day)], batch_size=1000
        )
        for days in range(1, DAYS):
            _again(NOON - timedelta(days=days))
        _add_totals()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{LedgerEntry.objects.count():,} entries")


def _entry(
    account: Account, at: datetime, number: int, user: RegistryUser, space: Namespace, image: str, action: str
) -> LedgerEntry:
    used = number % 3 != 0
    return LedgerEntry(
        account=account, user=user, secret=user.pk, namespace=space, image_name=image, action=action, day=at.date(),
        count=5, confirmed_count=3 if used else 0, first_at=at, last_at=at, confirmed_at=at if used else None,
        networks="10.0.0.0/24 10.0.1.0/24", address="10.0.0.5", client="docker/27.5",
    )  # fmt: skip


def _again(at: datetime) -> None:
    """Have on this day what there is on the last one."""
    moment = connection.ops.adapt_datetimefield_value(at)
    day = connection.ops.adapt_datefield_value(at.date())
    last = connection.ops.adapt_datefield_value(NOON.date())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO namespaces_ledgerentry ({COLUMNS}, day, first_at, last_at, confirmed_at)"  # noqa: S608
            f" SELECT {COLUMNS}, %s, %s, %s, CASE WHEN confirmed_count > 0 THEN %s END"
            " FROM namespaces_ledgerentry WHERE day = %s ORDER BY id",
            [day, moment, moment, moment, last],
        )


def _add_totals() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO namespaces_ledgertotal ({COLUMNS}, first_at, last_at, confirmed_at)"  # noqa: S608
            " SELECT account_id, user_id, secret, namespace_id, image_name, action, sum(count), sum(confirmed_count),"
            " min(networks), min(address), min(client), min(first_at), max(last_at), max(confirmed_at)"
            " FROM namespaces_ledgerentry"
            " GROUP BY account_id, user_id, secret, namespace_id, image_name, action"
        )


fill()
