"""Who can do what: an account's users by its namespaces, or by the images of one namespace, a page at a time.

Every cell is answered by `access.decide`. The caller has checked that the person may see the account.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts import selectors as account_selectors
from accounts import user_list
from accounts.common.pagination import Page, paginate
from accounts.models import Account, RegistryUser
from namespaces import permissions, selectors
from namespaces.access import AccessContext, UserStatus
from namespaces.access_cell import MatrixCell, matrix_cell
from namespaces.models import Grant, Namespace

COLUMNS = 20
BY_NAME = "name"  # of user_list.SORTS


@dataclass(frozen=True, slots=True)
class MatrixQuery:
    """What is asked for. `user` and `name` are parts of names of users and columns.

    `granted`: only users with a live grant in one of these namespaces, and columns on which one of these users has
    one. `page` and `columns` are cursors.
    """

    user: str = ""
    name: str = ""
    granted: bool = False
    page: str = ""
    columns: str = ""
    opened: str = ""  # the namespace whose images are the columns

    def kept(self) -> dict[str, str]:
        """Return the query of its URLs."""
        granted = "yes" if self.granted else ""
        return {"namespace": self.opened, "user": self.user, "name": self.name, "granted": granted}


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """A namespace (`image_name` empty), or one image of it."""

    namespace: Namespace
    image_name: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A user (None: whoever is not signed in) with a cell for each column."""

    user: RegistryUser | None
    status: UserStatus
    cells: list[MatrixCell]


@dataclass(frozen=True)
class Matrix:
    """`users` and `names` are the pages that `rows` and `columns` show; `names` pages by `columns=`."""

    columns: list[MatrixColumn]
    rows: list[MatrixRow]
    users: Page[RegistryUser]
    names: Page[Any]


def of_account(account: Account, asked: MatrixQuery) -> Matrix:
    """Return users by namespaces, in three statements. Raise Invalid on "page" or "columns"."""
    now = timezone.now()
    found = Namespace.objects.filter(account=account).order_by("name")
    if asked.name:
        found = found.filter(name__icontains=asked.name)
    within = Grant.objects.live(now).filter(namespace__account=account)
    if asked.granted:
        of_users = (
            within.filter(user__in=account_selectors.users_of(account, search=asked.user).order_by())
            if asked.user
            else within
        )
        found = found.filter(Exists(of_users.filter(namespace=OuterRef("pk"))))
    names = _column_page(found, asked)
    columns = [MatrixColumn(each) for each in names.rows]
    if asked.name:
        within = within.filter(namespace__name__icontains=asked.name)
    return _matrix(account, asked, columns, names, within, now)


def of_namespace(namespace: Namespace, asked: MatrixQuery) -> Matrix:
    """Return users by the whole namespace and each image with a grant of its own, in three statements.

    On every other image a user may do what it may in the namespace. Raise Invalid on "page" or "columns".
    """
    now = timezone.now()
    within = Grant.objects.live(now).filter(namespace=namespace)
    found = within.exclude(image_name="").order_by("image_name")
    if asked.name:
        found = found.filter(image_name__icontains=asked.name)
    if asked.granted and asked.user:
        found = found.filter(
            user__in=account_selectors.users_of(namespace.account, search=asked.user).order_by()
        )
    names = _column_page(found.values_list("image_name", named=True).distinct(), asked)
    columns = [MatrixColumn(namespace), *(MatrixColumn(namespace, each.image_name) for each in names.rows)]
    return _matrix(namespace.account, asked, columns, names, within, now)


def _column_page(found: QuerySet[Any, Any], asked: MatrixQuery) -> Page[Any]:
    query = asked.kept() | {"page": asked.page}
    return paginate(found, cursor=asked.columns, size=COLUMNS, query=query, parameter="columns")


def _matrix(
    account: Account,
    asked: MatrixQuery,
    columns: Sequence[MatrixColumn],
    names: Page[Any],
    within: QuerySet[Grant],
    now: datetime,
) -> Matrix:
    users = user_list.find_users(account, search=asked.user, state="", sort=BY_NAME, now=now)
    if asked.granted:
        users = users.filter(Exists(within.filter(user=OuterRef("pk"))))
    page = paginate(users, cursor=asked.page, query=asked.kept() | {"columns": asked.columns})
    for user in page.rows:
        user.account = account
    grants = _grants(page.rows, columns, within)
    rows = [
        MatrixRow(
            user,
            status,
            [_cell(status, column, grants[user.pk, column.namespace.pk], now) for column in columns],
        )
        for user in page.rows
        for status in [selectors.user_status_of(user, now)]
    ]
    shows_anyone = not page.previous_cursor and not asked.user and not account.suspended_at
    if shows_anyone and any(each.namespace.public for each in columns):
        anyone = UserStatus.ANONYMOUS
        rows.insert(0, MatrixRow(None, anyone, [_cell(anyone, column, [], now) for column in columns]))
    return Matrix(columns=list(columns), rows=rows, users=page, names=names)


def _grants(
    users: Sequence[RegistryUser], columns: Sequence[MatrixColumn], within: QuerySet[Grant]
) -> dict[tuple[int, int], list[Grant]]:
    """Return (user id, namespace id) → the user's live grants anywhere in the namespace."""
    found: dict[tuple[int, int], list[Grant]] = defaultdict(list)
    namespaces = {each.namespace.pk for each in columns}
    for grant in within.filter(user__in=users, namespace__in=namespaces).order_by():
        found[grant.user_id, grant.namespace_id].append(grant)
    return found


def _cell(status: UserStatus, column: MatrixColumn, grants: Sequence[Grant], now: datetime) -> MatrixCell:
    """`grants`: the user's live ones anywhere in the column's namespace."""

    def context(*reaching: Grant) -> AccessContext:
        return permissions.access_context([*reaching], column.namespace, status, now)

    whole = [grant for grant in grants if not grant.image_name]
    on_images = [grant for grant in grants if grant.image_name]
    if column.image_name:
        return matrix_cell(
            context(*whole, *(each for each in on_images if each.image_name == column.image_name))
        )
    return matrix_cell(context(*whole), [context(*whole, each) for each in on_images])
