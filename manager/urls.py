"""The product's table of contents."""

from django.urls import include, path

urlpatterns = [
    path("me/", include("allauth.urls")),
    path("me/sessions/", include("allauth.usersessions.urls")),
    path("api/v1/", include("manager.api_urls")),
    path("", include("accounts.pages.urls")),
    path("", include("namespaces.pages.urls")),
    path("", include("registry_sync.pages.urls")),
]
