"""What a user did with which images, and the smallest grants for that."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.models import RegistryUser
from accounts.roles import Permission
from namespaces.access import Action
from namespaces.api.access_preview import AccessPreviewSerializer
from namespaces.api.grants import GRANTED
from namespaces.ledger import shrinking
from namespaces.ledger.smallest import Given, Step
from namespaces.ledger.uses import uses_of
from namespaces.services.shrinking import shrink

MOST = 2**63 - 1


class UseSerializer(serializers.Serializer[Any]):
    namespace = serializers.CharField(source="namespace.name")
    image = serializers.CharField(source="image_name")
    action = serializers.ChoiceField([action.value for action in Action])
    password_id = serializers.IntegerField(
        source="secret",
        help_text="Of a password that may be gone; 0: not known; below 0: minus the id of the trust policy that let an "
        "ID token in.",
    )
    token_count = serializers.IntegerField(source="count", help_text="Tokens that allowed it.")
    use_count = serializers.IntegerField(
        source="confirmed_count", help_text="Pulls or pushes that the registry reported."
    )
    first_at = Moment(help_text="Of the days that are kept.")
    last_at = Moment()
    last_used_at = Moment(source="confirmed_at", allow_null=True, help_text="The last reported pull or push.")
    networks = serializers.ListField(
        source="network_list", child=serializers.CharField(), help_text="A /24 or /64 each; at most 20."
    )
    client_ip = serializers.CharField(source="address", allow_blank=True)
    client = serializers.CharField(allow_blank=True)


class UsesQuery(PageQuery):
    password = serializers.IntegerField(
        default=None, min_value=-MOST, max_value=MOST, help_text="A `password_id`."
    )
    search = serializers.CharField(
        default="", allow_blank=True, max_length=SEARCH_MAX, help_text="A part of an image’s name."
    )


class GivenSerializer(serializers.Serializer[Any]):
    level = serializers.ChoiceField(GRANTED, source="level.word")
    expires_at = Moment(allow_null=True)


class StepSerializer(serializers.Serializer[Any]):
    namespace = serializers.CharField()
    image = serializers.CharField(help_text="Empty: the whole namespace.")
    before = GivenSerializer(allow_null=True, help_text="Null: the grant is new.")
    after = GivenSerializer(allow_null=True, help_text="Null: the grant is removed.")


class SmallestGrantsSerializer(serializers.Serializer[Any]):
    used = serializers.BooleanField(help_text="False: no pull or push was reported, so nothing is proposed.")
    since = Moment(allow_null=True, help_text="Of the first request that is kept.")
    changes = StepSerializer(many=True)
    breaks = AccessPreviewSerializer(help_text="What the changes would break.")
    proposal_digest = serializers.CharField(help_text="Send it back to make the changes.")


class SmallestGrantsBody(Strict):
    proposal_digest = serializers.CharField(
        max_length=64, help_text="`proposal_digest` of the proposal that is agreed to."
    )


class UserUses(ApiView):
    @operation("users_uses", answer=UseSerializer, pages=True, query=UsesQuery)
    def get(self, request: Request, handle: str, username: str) -> Response:
        """List what the user was allowed and what it did, by image, action and password, the last one first."""
        query = self.query
        user = permissions.user(self.by, handle, username)
        return self.page(uses_of(user, secret=query["password"], search=query["search"]))


class UserSmallestGrants(ApiView):
    @operation("users_smallest_grants", answer=SmallestGrantsSerializer)
    def get(self, request: Request, handle: str, username: str) -> Response:
        """Propose the smallest grants that would have served what the user did, and say what they would break."""
        return self.answer(_shown(permissions.user(self.by, handle, username)))

    @operation("users_shrink_grants", body=SmallestGrantsBody, answer=SmallestGrantsSerializer)
    def post(self, request: Request, handle: str, username: str) -> Response:
        """Make the proposed changes. 409 when another proposal would be made by now."""
        user = permissions.user(self.by, handle, username, Permission.GRANTS_MANAGE)
        shrink(by=self.by, user=user, digest=self.data()["proposal_digest"])
        return self.answer(_shown(user))


def _shown(user: RegistryUser) -> dict[str, Any]:
    proposal = shrinking.propose(user)
    return {
        "used": proposal.used,
        "since": proposal.since,
        "changes": [_step(proposal, step) for step in proposal.steps],
        "breaks": shrinking.broken_by(proposal),
        "proposal_digest": proposal.digest,
    }


def _step(proposal: shrinking.Proposal, step: Step) -> dict[str, str | Given | None]:
    return {
        "namespace": proposal.namespaces[step.place.namespace].name,
        "image": step.place.image_name,
        "before": step.before,
        "after": step.after,
    }
