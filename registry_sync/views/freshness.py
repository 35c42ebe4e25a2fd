"""The freshness line alone, asked for again and again while a sync runs."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.views.request import PersonRequest


@login_required
@require_safe
def line(request: PersonRequest) -> HttpResponse:
    """Send the line itself, which comes from the context that every page has."""
    return render(request, "registry_sync/_freshness_line.html")
