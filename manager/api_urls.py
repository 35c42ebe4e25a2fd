"""The REST API, version 1."""

from django.urls import include, path

from accounts.api.docs import SchemaView, docs
from accounts.api.not_found import Nothing

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", docs, name="api-docs"),
    path("", include("accounts.api.urls")),
    # Before the next: its address of an image ends in a name with slashes, and takes all that follows.
    path("", include("registry_sync.api.urls")),
    path("", include("namespaces.api.urls")),
    # No APPEND_SLASH here: a redirect would lose the body of a write.
    path("<path:rest>", Nothing.as_view(), name="api-not-found"),
]
