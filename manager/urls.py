"""The product's table of contents."""

from django.urls import include, path

from accounts.views import allauth_views
from accounts.views.confirm_email import confirm_email
from manager import security_txt

urlpatterns = [
    path(security_txt.PATH, security_txt.security_txt, name="security-txt"),
    # Before allauth's pages of these names, for which they stand.
    path(
        "me/",
        include(
            [
                path("confirm-email/<str:key>/", confirm_email, name="account_confirm_email"),
                path("email/", allauth_views.addresses, name="account_email"),
                path("sessions/", allauth_views.sessions, name="usersessions_list"),
            ]
        ),
    ),
    path("me/", include("allauth.urls")),
    path("me/sessions/", include("allauth.usersessions.urls")),
    path("api/v1/", include("manager.api_urls")),
    # Upper rooms first: what they add lies below addresses that the lower take whole, as an image's name with
    # its slashes, or as a user's name.
    path("", include("registry_sync.views.urls")),
    path("", include("namespaces.views.urls")),
    path("", include("accounts.views.urls")),
]

handler429 = "manager.errors.too_often"
handler500 = "manager.errors.broken"
