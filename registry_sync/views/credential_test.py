"""Tries a fresh password as a client does, and shows each step on the page that shows the password once."""

import threading

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.common.errors import Unavailable
from accounts.views import credentials_page
from accounts.views.credential_files import posted_password, refused
from accounts.views.request import PersonRequest, tab
from namespaces.granted_repositories import granted_repositories
from registry_sync.doctor import local
from registry_sync.doctor.credential_probe import REPOSITORIES_MAX, Wanted, try_login

# It waits for answers of this very process: two at once would take half its threads from everybody else.
_one_at_a_time = threading.Semaphore(1)


@login_required
@require_POST
@never_cache
@sensitive_post_parameters()
@vary_on_headers("HX-Request")
@tab("users")
def try_password(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    """Answer with the page that the password was posted from, or (htmx) with the steps alone."""
    user, password = posted_password(request, handle, username)
    if not password:
        return refused(request, user)
    found = granted_repositories(user, REPOSITORIES_MAX)
    wanted = [Wanted(repository, actions) for repository, actions in found]
    if not _one_at_a_time.acquire(timeout=1):
        raise Unavailable(_("Another password is being tested; try again in a few seconds."))
    try:
        steps = try_login(user.username, password, wanted, local.panel_settings())
    finally:
        _one_at_a_time.release()
    context = {"account": user.account, "user": user, "password": password, "steps": steps}
    if request.htmx:
        return render(request, "accounts/_credential_test.html", context)
    instead = request.POST.get("instead", "")
    return credentials_page.show(request, user, password, instead=instead, steps=steps)
