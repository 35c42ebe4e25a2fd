"""Search from the header, in one account or in all of a person's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import permissions, selectors
from accounts.common.pagination import Page, paginate
from accounts.models import Account
from accounts.second_factors import requirement
from accounts.views.request import PersonRequest, principal
from namespaces.listing import pg_plans
from namespaces.listing import search as searched

_KIND_NAMES: dict[str, Promise] = {
    "images": _("Images"),
    "tags": _("Tags"),
    "digests": _("Digests"),
    "configs": _("Image IDs"),
    "layers": _("Layers"),
    "labels": _("Labels"),
    "users": _("Users"),
    "technical": _("Technical tags"),
}


@dataclass(frozen=True)
class GroupOnPage:
    kind: str
    name: Promise
    rows: Sequence[Any]
    more_url: str
    page: Page[Any] | None = None


@login_required
@require_safe
def search(request: PersonRequest) -> HttpResponse:
    """In every account the person is a member of: for pages on which none is chosen."""
    by = principal(request)
    accounts = requirement.admitting(selectors.accounts_of(person_id=by.person_id), by)
    return _answer(request, accounts, None)


@login_required
@require_safe
def in_account(request: PersonRequest, handle: str) -> HttpResponse:
    account = permissions.account(principal(request), handle)
    return _answer(request, [account], account)


def _answer(request: PersonRequest, accounts: Sequence[Account], account: Account | None) -> HttpResponse:
    typed, kind = request.GET.get("q", "").strip()[:200], request.GET.get("kind", "")
    one = kind in _KIND_NAMES
    cursor = request.GET.get("page", "")
    with pg_plans.by_value():
        groups = _one_kind(kind, accounts, typed, cursor) if one else _all_kinds(accounts, typed)
    context = {
        "account": account,
        "search_query": typed,
        "groups": groups,
        "all_url": "?" + urlencode({"q": typed}) if one else "",
        "too_short": searched.too_short(typed),
    }
    return render(request, "namespaces/search.html", context)


def _all_kinds(accounts: Sequence[Account], typed: str) -> list[GroupOnPage]:
    return [
        GroupOnPage(
            group.kind,
            _KIND_NAMES[group.kind],
            searched.with_context(group.kind, group.rows, typed),
            "?" + urlencode({"q": typed, "kind": group.kind}) if group.more else "",
        )
        for group in searched.search_groups(accounts, typed)
    ]


def _one_kind(kind: str, accounts: Sequence[Account], typed: str, cursor: str) -> list[GroupOnPage]:
    rows = searched.rows_of(kind, accounts, typed)
    if rows is None:
        return []
    page = paginate(rows, cursor=cursor, query={"q": typed, "kind": kind})
    return (
        [GroupOnPage(kind, _KIND_NAMES[kind], searched.with_context(kind, page.rows, typed), "", page)]
        if page.rows
        else []
    )
