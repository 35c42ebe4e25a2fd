"""The schema and the page to read it. Importing this makes our security schemes known to it."""

from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularAPIView

from accounts.api.reference import Reference, reference


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "rma_…"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.PersonSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The panel’s session; writes also carry X-CSRFToken.",
        }


class UserPasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "registry_sync.api.self_rotation.UserPasswordAuthentication"
    name = "userPassword"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "basic", "description": "Username and password of `docker login`."}


class SchemaView(SpectacularAPIView):
    pass


@login_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Small, and readable without a script: the schema as a page."""
    return render(
        request, "accounts/api_docs.html", {"reference": _reference(), "panel": settings.PUBLIC_URL}
    )


@cache  # it comes from the code alone
def _reference() -> Reference:
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return reference(document, host=settings.PUBLIC_URL)
