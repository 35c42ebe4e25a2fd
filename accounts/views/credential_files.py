"""Files with a fresh password in them. The page that shows it sends it along; it is stored nowhere, in no address."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import permissions, selectors
from accounts.client_files import FILES
from accounts.common.errors import NotFound
from accounts.models import RegistryUser
from accounts.roles import Permission
from accounts.views.request import PersonRequest, principal, tab


@login_required
@require_POST
@never_cache
@sensitive_post_parameters()
@tab("users")
def download(request: PersonRequest, handle: str, username: str) -> HttpResponse:
    user, password = posted_password(request, handle, username)
    if not password:
        return refused(request, user)
    make = FILES.get(request.POST.get("file", ""))
    if not make:
        raise NotFound
    file = make(settings.REGISTRY_HOST, user.username, password)
    return HttpResponse(
        file.text,
        content_type=file.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def posted_password(request: PersonRequest, handle: str, username: str) -> tuple[RegistryUser, str]:
    """Return the user, and its password that the page sent back; "" for one that is not the user's or has ended."""
    user = permissions.user(principal(request), handle, username, Permission.USERS_MANAGE)
    password = request.POST.get("password", "")
    return user, password if selectors.live_password(user, password) else ""


def refused(request: PersonRequest, user: RegistryUser) -> HttpResponse:
    messages.error(request, _("This password of the user does not work any more."))
    return redirect(user)
