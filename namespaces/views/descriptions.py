"""Writing the description and README of a namespace or an image, with a preview."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.common.errors import Conflict, Invalid
from accounts.roles import Permission
from accounts.views.form_errors import put_errors, status_of
from accounts.views.request import PersonRequest, principal, tab
from namespaces import permissions, selectors
from namespaces.forms import DescriptionForm
from namespaces.models import Image, Namespace
from namespaces.services import descriptions
from namespaces.views.navigation import image_context, namespace_context


@tab("images")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def of_namespace(request: PersonRequest, handle: str, name: str) -> HttpResponse:
    by = principal(request)
    namespace = permissions.namespace(by, handle, name, Permission.NAMESPACES_MANAGE)

    def save(**words: str | None) -> None:
        descriptions.describe_namespace(by=by, namespace=namespace, **words)

    return _form(request, namespace, namespace.description, save, namespace_context(namespace, "images"))


@tab("images")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def of_image(request: PersonRequest, handle: str, name: str, image_name: str) -> HttpResponse:
    by = principal(request)
    image = permissions.image(by, handle, name, image_name, Permission.IMAGES_DESCRIBE)

    def save(**words: str | None) -> None:
        descriptions.describe_image(by=by, image=image, **words)

    return _form(request, image, image.own_description, save, image_context(image, "tags"))


def _form(
    request: PersonRequest,
    owner: Namespace | Image,
    description: str,
    save: Callable[..., None],
    context: dict[str, Any],
) -> HttpResponse:
    posted = request.method == "POST"
    saved = {"description": description, "readme": "" if posted else selectors.readme_of(owner)}
    form = DescriptionForm(request.POST if posted else None, initial=saved)
    version = request.POST.get("version") if posted else descriptions.version_of(**saved)
    preview = ""
    if isinstance(owner, Image) and owner.pushed_description:
        form.fields["description"].help_text = _("Leave empty to use the image’s own: “%(own)s”.") % {
            "own": owner.pushed_description
        }
    if posted and form.is_valid():
        if "preview" in request.POST:
            preview = form.cleaned_data["readme"]
        else:
            try:
                save(**form.cleaned_data, version=version)
            except Conflict as error:
                put_errors(form, error)
                # Loaded again, to be seen beside what was typed. Saving once more then replaces it.
                context["saved"] = saved = _saved(owner)
                version = descriptions.version_of(**saved)
            except Invalid as error:
                put_errors(form, error)
            else:
                messages.success(request, _("Saved."))
                return redirect(owner)
    context |= {"form": form, "version": version, "preview": preview, "back": owner.get_absolute_url()}
    return render(request, "namespaces/describe.html", context, status=status_of(form))


def _saved(owner: Namespace | Image) -> dict[str, str]:
    fields = ["own_description" if isinstance(owner, Image) else "description"]
    owner.refresh_from_db(fields=fields)
    return {"description": getattr(owner, fields[0]), "readme": selectors.readme_of(owner)}
