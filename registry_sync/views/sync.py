"""Asking for a sync."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import permissions
from accounts.roles import Permission
from accounts.views.form_errors import next_url
from accounts.views.request import PersonRequest, principal
from registry_sync import jobs


@login_required
@require_POST
def start(request: PersonRequest, handle: str) -> HttpResponse:
    by = principal(request)
    permissions.account(by, handle, Permission.SYNC_START)
    jobs.request_sync(by=by)
    messages.info(request, _("Sync requested; the line under the list shows its progress."))
    return redirect(next_url(request, reverse("images", args=[handle])))
