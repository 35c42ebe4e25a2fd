"""The product's table of contents."""

from django.urls import include, path

urlpatterns = [
    path("me/", include("allauth.urls")),
    path("me/sessions/", include("allauth.usersessions.urls")),
    path("api/v1/", include("manager.api_urls")),
    path("", include("accounts.pages.urls")),
    # Before the next: its address of an image ends in a name with slashes, and takes all that follows.
    path("", include("registry_sync.pages.urls")),
    path("", include("namespaces.pages.urls")),
]
