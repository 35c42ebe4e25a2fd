"""Who can do what: the users of an account by its namespaces, or by the images of one."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import permissions as account_permissions
from accounts.views.request import PersonRequest, principal, tab
from namespaces import access_matrix, permissions
from namespaces.access_matrix import MatrixQuery
from namespaces.views.navigation import access_context

SEARCH_MAX = 200


@login_required
@require_safe
@tab("access")
def matrix(request: PersonRequest, handle: str) -> HttpResponse:
    by, asked = principal(request), _asked(request)
    if asked.opened:
        opened = permissions.namespace(by, handle, asked.opened)
        account, found = opened.account, access_matrix.of_namespace(opened, asked)
    else:
        account = account_permissions.account(by, handle)
        opened, found = None, access_matrix.of_account(account, asked)
    context = access_context(account, "matrix") | {
        "opened": opened,
        "matrix": found,
        "asked": asked,
        "filtered": bool(asked.user or asked.name or asked.granted),
    }
    return render(request, "namespaces/access_matrix.html", context)


def _asked(request: PersonRequest) -> MatrixQuery:
    asked = request.GET
    return MatrixQuery(
        user=asked.get("user", "").strip()[:SEARCH_MAX],
        name=asked.get("name", "").strip()[:SEARCH_MAX],
        granted=bool(asked.get("granted")),
        page=asked.get("page", ""),
        columns=asked.get("columns", ""),
        opened=asked.get("namespace", ""),
    )
