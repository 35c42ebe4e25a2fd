"""Trust policies of a user: which ID tokens of CI jobs act as it; and the tokens that were refused."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.models import IdTokenIssuer, RefusedIdToken, TrustPolicy
from accounts.models.trust_policy import AUDIENCE_MAX
from accounts.roles import Permission
from accounts.services import issuers, trust_policies

_RULES = (
    'What the claims of a token must be: `{"repository_id": {"is": ["74"]}, "ref": {"like": ["refs/tags/v*"]}}`. '
    "A claim inside another is named with a dot."
)
_PULL_REQUESTS = "Whether jobs of pull requests may push and delete too. False: they may only pull."
_JWKS = "Its JWKS, with public keys alone."
_AUDIENCE = "For whom the token is made: the panel’s address unless given."


class IssuerSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    url = serializers.CharField(help_text="Exactly the `iss` of its tokens.")
    name = serializers.CharField(allow_blank=True)
    preset = serializers.CharField(
        allow_blank=True, help_text="`github`, `gitlab`, `forgejo`, `buildkite`, `circleci`, `kubernetes`, or empty."
    )  # fmt: skip
    enabled = serializers.BooleanField(help_text="False: its tokens are refused.")
    own = serializers.SerializerMethodField(help_text="Whether it is the account’s own, with pasted keys.")

    def get_own(self, issuer: IdTokenIssuer) -> bool:
        return issuer.account_id is not None


class TrustPolicySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    issuer = IssuerSerializer()
    audience = serializers.CharField()
    rules = serializers.JSONField(help_text=_RULES)
    pull_requests_may_push = serializers.BooleanField(help_text=_PULL_REQUESTS)
    note = serializers.CharField(allow_blank=True)
    enabled = serializers.SerializerMethodField()
    created_at = Moment()
    last_used_at = Moment(allow_null=True)
    last_used_ip = serializers.CharField(source="last_used_from", allow_blank=True)
    last_used_client = serializers.CharField(source="last_used_with", allow_blank=True)

    def get_enabled(self, policy: TrustPolicy) -> bool:
        return policy.disabled_at is None


class RefusedIdTokenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    trust_policy = serializers.IntegerField(
        source="policy_id", allow_null=True, help_text="The policy that it came nearest to."
    )
    issuer = IssuerSerializer()
    kind = serializers.ChoiceField(RefusedIdToken.KINDS)
    reason = serializers.CharField()
    claims = serializers.JSONField(help_text="What the token said; long values are cut.")
    preview_digest = serializers.SerializerMethodField(
        help_text="Of what `refusals_allow` would change in the policy now. Empty where no change of it helps."
    )
    count = serializers.IntegerField()
    last_at = Moment(source="at")
    ip = serializers.CharField(source="address", allow_blank=True)
    client = serializers.CharField(allow_blank=True)

    def get_preview_digest(self, refused: RefusedIdToken) -> str:
        return trust_policies.preview_digest(refused)


class TrustPolicyBody(Strict):
    rules = serializers.JSONField(help_text=_RULES)
    audience = serializers.CharField(
        required=False, allow_blank=True, max_length=AUDIENCE_MAX, help_text=_AUDIENCE
    )
    pull_requests_may_push = serializers.BooleanField(required=False, help_text=_PULL_REQUESTS)
    note = serializers.CharField(required=False, allow_blank=True, max_length=trust_policies.NOTE_MAX)


class NewTrustPolicyBody(TrustPolicyBody):
    issuer = serializers.IntegerField(help_text="The id of one of the account’s ID token issuers.")


class TrustPolicyChange(TrustPolicyBody):
    """What is not given stays."""

    rules = serializers.JSONField(required=False, help_text=_RULES)
    enabled = serializers.BooleanField(required=False)


class IssuerBody(Strict):
    """What is not given stays."""

    name = serializers.CharField(
        required=False, allow_blank=True, help_text="Tells issuers of the same URL apart, as clusters are."
    )
    preset = serializers.CharField(required=False, allow_blank=True, help_text="What kind of service it is.")
    pasted_jwks = serializers.CharField(required=False, help_text=_JWKS)
    enabled = serializers.BooleanField(required=False)


class NewIssuerBody(Strict):
    url = serializers.CharField(help_text="Exactly the `iss` of its tokens.")
    name = serializers.CharField(required=False, allow_blank=True)
    preset = serializers.CharField(required=False, allow_blank=True, help_text="What kind of service it is.")
    pasted_jwks = serializers.CharField(help_text=_JWKS)


class AllowRefusedBody(Strict):
    preview_digest = serializers.CharField(
        max_length=64, help_text="As the refused token had it. 409 where another such token came meanwhile."
    )
    other_owner = serializers.BooleanField(
        default=False,
        help_text="True: also where the job belongs to another owner than the policy names. Anybody can have such "
        "tokens made.",
    )


class Issuers(ApiView):
    @operation("issuers_list", answer=IssuerSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str) -> Response:
        """List the issuers that trust policies of this account may name, and its own that are disabled."""
        return self.page(selectors.known_issuers(permissions.account(self.by, handle)))

    @operation("issuers_create", body=NewIssuerBody, answer=IssuerSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        """Add one of the account’s own, by its public keys. An account has at most 20."""
        account = permissions.account(self.by, handle, Permission.USERS_MANAGE)
        return self.answer(issuers.add_own(by=self.by, account=account, **self.data()))


class OneIssuer(ApiView):
    @operation("issuers_update", body=IssuerBody, answer=IssuerSerializer)
    def patch(self, request: Request, handle: str, id: int) -> Response:  # noqa: A002
        """Change one of the account’s own. Tokens of a disabled one are refused at once."""
        issuer = permissions.own_issuer(self.by, handle, id)
        return self.answer(issuers.edit(by=self.by, issuer=issuer, **self.data()))

    @operation("issuers_delete", status=204)
    def delete(self, request: Request, handle: str, id: int) -> Response:  # noqa: A002
        """Delete one of the account’s own. 409 while a trust policy names it."""
        issuers.delete(by=self.by, issuer=permissions.own_issuer(self.by, handle, id))
        return self.answer()


class TrustPolicies(ApiView):
    @operation("policies_list", answer=TrustPolicySerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, username: str) -> Response:
        return self.page(selectors.trust_policies_of(permissions.user(self.by, handle, username)))

    @operation("policies_create", body=NewTrustPolicyBody, answer=TrustPolicySerializer, status=201)
    def post(self, request: Request, handle: str, username: str) -> Response:
        """Let ID tokens that keep all rules act as the user. A user has at most 20 policies."""
        user = permissions.user(self.by, handle, username, Permission.USERS_MANAGE)
        body = self.data()
        issuer = trust_policies.issuer_for(user.account, body.pop("issuer"))
        return self.answer(trust_policies.create(by=self.by, user=user, issuer=issuer, **body))


class OneTrustPolicy(ApiView):
    @operation("policies_read", answer=TrustPolicySerializer)
    def get(self, request: Request, handle: str, username: str, id: int) -> Response:  # noqa: A002
        return self.answer(permissions.trust_policy(self.by, handle, username, id, Permission.ACCOUNT_VIEW))

    @operation("policies_update", body=TrustPolicyChange, answer=TrustPolicySerializer)
    def patch(self, request: Request, handle: str, username: str, id: int) -> Response:  # noqa: A002
        policy = permissions.trust_policy(self.by, handle, username, id)
        return self.answer(trust_policies.edit(by=self.by, policy=policy, **self.data()))

    @operation("policies_delete", status=204)
    def delete(self, request: Request, handle: str, username: str, id: int) -> Response:  # noqa: A002
        """Delete it; passwords that jobs got by it end at once."""
        trust_policies.delete(by=self.by, policy=permissions.trust_policy(self.by, handle, username, id))
        return self.answer()


class RefusedIdTokens(ApiView):
    @operation("refusals_list", answer=RefusedIdTokenSerializer, pages=True, query=PageQuery)
    def get(self, request: Request, handle: str, username: str) -> Response:
        """List the last genuine ID tokens that the user was refused with, and what they said."""
        return self.page(selectors.refused_id_tokens_of(permissions.user(self.by, handle, username)))


class AllowRefusedIdToken(ApiView):
    @operation("refusals_allow", body=AllowRefusedBody, answer=TrustPolicySerializer)
    def post(self, request: Request, handle: str, username: str, id: int) -> Response:  # noqa: A002
        """Change the policy so that such a token is taken, and no more. 409 where no change of it helps."""
        refused = permissions.refused_id_token(self.by, handle, username, id)
        return self.answer(trust_policies.allow(by=self.by, refused=refused, **self.data()))
