"""The account's home: its images, in one namespace or in all."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from accounts import gate as accounts_gate
from accounts.pages.http import PersonRequest, principal, tab
from accounts.pages.rights import why_not
from accounts.paging import paginate
from accounts.roles import Act
from namespaces import gate, news, selectors
from namespaces.lists import image_list
from namespaces.pages.frame import nothing_pushed


@login_required
@require_GET
def account(request: PersonRequest, handle: str) -> HttpResponse:
    return redirect("images", handle)


@tab("images")
@login_required
@require_GET
@vary_on_headers("HX-Request")
def images(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    account = accounts_gate.account(by, handle)
    query = {key: request.GET.get(key, "").strip()[:200] for key in ("namespace", "q")}
    chosen = gate.namespace(by, handle, query["namespace"]) if query["namespace"] else None
    found = selectors.images_of(account, namespace=chosen, search=query["q"])
    page = paginate(found, cursor=request.GET.get("page", ""), query=query)
    context = {
        "account": account,
        "why_not": why_not(by, account, Act.NAMESPACES_MANAGE),
        "live": news.note_of_account(request, account),
        "namespaces": selectors.namespaces_of(account),
        "chosen": chosen,
        "query": query,
        "page": page,
        "lines": image_list.lines_of(account, page.rows),
    }
    if not page.rows:
        context |= nothing_pushed(by, account, chosen)
    fragment = request.htmx and request.htmx.target == "images"
    return render(request, "namespaces/_images.html" if fragment else "namespaces/images.html", context)
