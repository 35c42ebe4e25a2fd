"""The REST API, version 1."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path

from accounts.api.absent import Nothing
from accounts.api.docs import DocsView, SchemaView

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", login_required(DocsView.as_view()), name="api-docs"),
    path("", include("accounts.api.urls")),
    path("", include("namespaces.api.urls")),
    path("", include("registry_sync.api.urls")),
    # No APPEND_SLASH here: a redirect would lose the body of a write.
    path("<path:rest>", Nothing.as_view(), name="api-nothing"),
]
