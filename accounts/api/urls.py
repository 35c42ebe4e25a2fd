from django.urls import path

from accounts.api import accounts, invitations, me, members, passwords, second_factors, trust_policies, users

urlpatterns = [
    path("me/", me.Me.as_view(), name="api-me"),
    path("me/tokens/", me.Tokens.as_view(), name="api-my-tokens"),
    path("me/tokens/<int:id>/", me.OneToken.as_view(), name="api-my-token"),
    path("accounts/", accounts.Accounts.as_view(), name="api-accounts"),
    path("accounts/<str:handle>/", accounts.OneAccount.as_view(), name="api-account"),
    path("accounts/<str:handle>/invitations/", invitations.Invitations.as_view(), name="api-invitations"),
    path(
        "accounts/<str:handle>/invitations/<int:id>/",
        invitations.OneInvitation.as_view(),
        name="api-invitation",
    ),
    path("accounts/<str:handle>/members/", members.Members.as_view(), name="api-members"),
    path("accounts/<str:handle>/members/me/", members.MyMembership.as_view(), name="api-membership"),
    path("accounts/<str:handle>/members/<int:person_id>/", members.OneMember.as_view(), name="api-member"),
    path(
        "accounts/<str:handle>/password-rules/",
        accounts.PasswordRules.as_view(),
        name="api-password-rules",
    ),
    path(
        "accounts/<str:handle>/second-factor/",
        second_factors.AccountSecondFactor.as_view(),
        name="api-second-factor",
    ),
    path(
        "system/second-factor/", second_factors.SystemSecondFactor.as_view(), name="api-system-second-factor"
    ),
    path("accounts/<str:handle>/users/", users.Users.as_view(), name="api-users"),
    path("accounts/<str:handle>/users/<str:username>/", users.OneUser.as_view(), name="api-user"),
    path(
        "accounts/<str:handle>/users/<str:username>/disable/",
        users.DisableUser.as_view(),
        name="api-user-disable",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/enable/",
        users.EnableUser.as_view(),
        name="api-user-enable",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/password/",
        users.UserPassword.as_view(),
        name="api-user-password",
    ),
    path(
        "accounts/<str:handle>/id-token-issuers/",
        trust_policies.Issuers.as_view(),
        name="api-id-token-issuers",
    ),
    path(
        "accounts/<str:handle>/id-token-issuers/<int:id>/",
        trust_policies.OneIssuer.as_view(),
        name="api-id-token-issuer",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/trust-policies/",
        trust_policies.TrustPolicies.as_view(),
        name="api-trust-policies",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/trust-policies/<int:id>/",
        trust_policies.OneTrustPolicy.as_view(),
        name="api-trust-policy",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/refused-id-tokens/",
        trust_policies.RefusedIdTokens.as_view(),
        name="api-refused-id-tokens",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/refused-id-tokens/<int:id>/allow/",
        trust_policies.AllowRefusedIdToken.as_view(),
        name="api-refused-id-token-allow",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/passwords/",
        passwords.Passwords.as_view(),
        name="api-user-passwords",
    ),
    path(
        "accounts/<str:handle>/users/<str:username>/passwords/<int:id>/",
        passwords.OnePassword.as_view(),
        name="api-password",
    ),
]
