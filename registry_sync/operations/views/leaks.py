"""The operator's leak desk: passwords and API tokens of every account."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.views.leak_desk import answer
from accounts.views.request import PersonRequest, principal
from registry_sync.operations.views.navigation import operators, system_context


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters()
def desk(request: PersonRequest) -> HttpResponse:
    found = answer(request, principal(request), None)
    context = system_context("system-leaks") | {"desk": found}
    status = 400 if found.form.errors else 200
    return render(request, "registry_sync/system_leaks.html", context, status=status)
