"""Search from the header: images, tags and users of every account the person is a member of."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.pages.http import PersonRequest, principal
from namespaces import selectors


@login_required
@require_GET
def search(request: PersonRequest) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()[:200]
    found = selectors.search(person_id=principal(request).person_id, wanted=wanted)
    return render(request, "namespaces/search.html", {"search_query": wanted, "found": found})
