from django.urls import path

from accounts.views import (
    account_create,
    allauth_confirmations,
    api_tokens,
    bootstrap,
    credential_files,
    credentials_page,
    invitations,
    language,
    last_denial,
    leak_desk,
    leaked,
    members,
    passwords,
    settings,
    time_preferences,
)

ACCOUNT = "a/<slug:handle>/"
USER = f"{ACCOUNT}users/<slug:username>/"
SETTINGS = f"{ACCOUNT}settings/"

urlpatterns = [
    path("leaked", leaked.report, name="leaked"),
    path("leaked/", leaked.report),  # an address with a slash is no reason to leave a password alive
    path("accounts/new/", account_create.open_account, name="account-create"),
    path("invite/", invitations.follow, name="invitation"),
    path("invite/<str:token>/", invitations.open_link, name="invitation-link"),
    path("bootstrap/", bootstrap.bootstrap, name="bootstrap"),
    path("bootstrap/<str:token>/", bootstrap.open_link, name="bootstrap-link"),
    path("me/tokens/", api_tokens.api_tokens, name="api-tokens"),
    path("me/tokens/<int:token_id>/revoke/", api_tokens.revoke, name="api-token-revoke"),
    path("me/language/", language.choose, name="language"),
    path("me/time-preferences/", time_preferences.times, name="time-preferences"),
    path("me/sessions/sign-out/", allauth_confirmations.other_sessions, name="other-sessions-sign-out"),
    path("me/email/remove/", allauth_confirmations.remove_email, name="email-remove"),
    path(f"{USER}files/", credential_files.download, name="user-files"),
    path(f"{USER}last-use/", credentials_page.last_use, name="user-last-use"),
    path(f"{USER}first-use/", credentials_page.first_use, name="user-first-use"),
    path(f"{USER}last-denial/", last_denial.last_denial, name="user-last-denial"),
    path(f"{USER}passwords/rotate/", passwords.rotate, name="password-rotate"),
    path(f"{USER}passwords/<int:secret_id>/end/", passwords.end, name="password-end"),
    path(f"{USER}passwords/<int:secret_id>/retirement/", passwords.retire, name="password-retire"),
    path(f"{ACCOUNT}leaks/", leak_desk.desk, name="leak-desk"),
    path(SETTINGS, settings.settings, name="account-settings"),
    path(f"{SETTINGS}rename/", settings.rename, name="account-rename"),
    path(f"{SETTINGS}password-rules/", settings.password_rules, name="account-password-rules"),
    path(f"{SETTINGS}leave/", members.leave, name="member-leave"),
    path(f"{SETTINGS}members/<int:person_id>/role/", members.change_role, name="member-role"),
    path(f"{SETTINGS}members/<int:person_id>/remove/", members.remove, name="member-remove"),
    path(f"{SETTINGS}invitations/", invitations.invite, name="invitation-create"),
    path(
        f"{SETTINGS}invitations/<int:invitation_id>/withdraw/",
        invitations.withdraw,
        name="invitation-withdraw",
    ),
]
