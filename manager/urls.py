"""The product's table of contents."""

from django.urls import include, path

from accounts.views import allauth_views, second_factors, sessions, sso, sso_link
from accounts.views.confirm_email import confirm_email
from manager import security_txt

second_factor_urls = [
    path("", second_factors.index, name="mfa_index"),
    path("authenticate/", second_factors.authenticate, name="mfa_authenticate"),
    path("totp/activate/", second_factors.activate_totp, name="mfa_activate_totp"),
    path("totp/deactivate/", second_factors.deactivate_totp, name="mfa_deactivate_totp"),
    path("webauthn/", second_factors.passkeys, name="mfa_list_webauthn"),
    path("webauthn/add/", second_factors.add_passkey, name="mfa_add_webauthn"),
    path("webauthn/login/", second_factors.sign_in_with_passkey, name="mfa_login_webauthn"),
    path("webauthn/keys/<int:pk>/edit/", second_factors.rename_passkey, name="mfa_edit_webauthn"),
    path("webauthn/keys/<int:pk>/remove/", second_factors.remove_passkey, name="mfa_remove_webauthn"),
    path(
        "recovery-codes/generate/", second_factors.generate_recovery_codes, name="mfa_generate_recovery_codes"
    ),
]

urlpatterns = [
    path(security_txt.PATH, security_txt.security_txt, name="security-txt"),
    # Before allauth's pages of these names, for which they stand.
    path(
        "me/",
        include(
            [
                path("confirm-email/<str:key>/", confirm_email, name="account_confirm_email"),
                path("email/", allauth_views.addresses, name="account_email"),
                path("oidc/<str:provider_id>/login/", sso.start, name="sso-start"),
                path("oidc/<str:provider_id>/login/callback/", sso.callback, name="sso-callback"),
                path("sso/", sso_link.overview, name="sso"),
                path("sso/confirm/", sso_link.confirm, name="sso-confirm"),
                path("sso/link/", sso_link.link, name="sso-link"),
                path("sso/<int:id>/unlink/", sso_link.unlink, name="sso-unlink"),
                path("3rdparty/signup/", sso.no_form, name="socialaccount_signup"),
                path("3rdparty/", sso_link.overview, name="socialaccount_connections"),
                path("sessions/", sessions.sessions, name="usersessions_list"),
                path("2fa/", include(second_factor_urls)),
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
