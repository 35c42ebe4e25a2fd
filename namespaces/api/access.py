"""Who may do what: users by namespaces, one question about one repository, and everybody who may."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid, NotFound
from accounts.models import Account, RegistryUser
from namespaces import access_check, access_matrix, permissions
from namespaces.access import Action, GrantSource
from namespaces.access_matrix import MatrixQuery
from namespaces.api.denials import ProposedGrantSerializer
from namespaces.api.grants import GrantSerializer
from namespaces.api.images import LEVELS

ACTIONS = [action.value for action in Action]
SOURCES = [source.value for source in GrantSource]
_REPOSITORY = "`namespace/image`, pushed already or not, also a public one of another account."


class AccessCheckQuery(Strict):
    user = serializers.CharField(
        default="", allow_blank=True, max_length=SEARCH_MAX, help_text="A username; empty: not signed in."
    )
    action = serializers.ChoiceField(ACTIONS)
    repository = serializers.CharField(max_length=SEARCH_MAX, help_text=_REPOSITORY)


class WhoMayQuery(PageQuery):
    action = serializers.ChoiceField(ACTIONS)
    repository = serializers.CharField(max_length=SEARCH_MAX, help_text=_REPOSITORY)


class MatrixQuerySerializer(PageQuery):
    user = serializers.CharField(
        default="", allow_blank=True, max_length=SEARCH_MAX, help_text="A part of a description or username."
    )
    name = serializers.CharField(
        default="", allow_blank=True, max_length=SEARCH_MAX, help_text="A part of the names of columns."
    )
    namespace = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=SEARCH_MAX,
        help_text="A namespace of this account, whose images are then the columns.",
    )
    granted = serializers.BooleanField(
        default=False, help_text="True: only users and columns with a permission that has not ended."
    )
    columns = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=1000,
        help_text="As given by `next_columns` and `previous_columns`.",
    )


class MatrixColumnSerializer(serializers.Serializer[Any]):
    namespace = serializers.CharField(source="namespace.name")
    image = serializers.CharField(
        source="image_name", allow_blank=True, help_text="Empty: each image without permissions of its own."
    )
    public = serializers.BooleanField(source="namespace.public")


class MatrixCellSerializer(serializers.Serializer[Any]):
    level = serializers.ChoiceField(LEVELS, source="level.word")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        SOURCES, allow_null=True, help_text="Where the level comes from; null: no level."
    )
    image_count = serializers.IntegerField(help_text="Images on which a permission gives more than `level`.")
    image_level = serializers.ChoiceField(LEVELS, source="image_level.word", help_text="The most on those.")
    blocked_level = serializers.ChoiceField(
        LEVELS, source="blocked_level.word", help_text="The most that a disabled or expired user would have."
    )


class MatrixRowSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(source="user.username")
    description = serializers.CharField(source="user.description")
    state = serializers.ChoiceField(["active", "disabled", "expired"], source="status.value")
    cells = MatrixCellSerializer(many=True, help_text="One for each of `columns`, in their order.")


class MatrixSerializer(serializers.Serializer[Any]):
    columns = MatrixColumnSerializer(many=True, help_text="At most 20, and one more for a whole namespace.")
    results = MatrixRowSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    next_columns = serializers.URLField(allow_null=True)
    previous_columns = serializers.URLField(allow_null=True)


class SourceSerializer(serializers.Serializer[Any]):
    source = serializers.ChoiceField(SOURCES)  # type: ignore[assignment]
    level = serializers.ChoiceField(LEVELS, source="level.word")


class AccessCheckSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(source="user.username", default="", help_text="Empty: not signed in.")
    action = serializers.ChoiceField(ACTIONS, source="action.value")
    repository = serializers.CharField()
    allowed = serializers.BooleanField(source="verdict.allowed")
    reason = serializers.CharField(source="verdict.reason")
    remedy = serializers.CharField(
        source="verdict.remedy", help_text="What would change it; empty if allowed."
    )
    level = serializers.ChoiceField(LEVELS, source="verdict.level.word")
    allowed_actions = serializers.ListField(
        child=serializers.ChoiceField(ACTIONS), help_text="All that a token for this repository would hold."
    )
    sources = SourceSerializer(many=True, source="verdict.sources", help_text="The deciding one first.")
    grants = GrantSerializer(many=True, help_text="The user’s grants that reach the repository.")
    proposed_grants = ProposedGrantSerializer(
        many=True, source="remedy.grants", default=(), help_text="The smallest grant that would allow it."
    )


class AllowedUserSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(source="user.username")
    description = serializers.CharField(source="user.description")
    level = serializers.ChoiceField(LEVELS, source="verdict.level.word")
    reason = serializers.CharField(source="verdict.reason")
    grants = GrantSerializer(many=True, help_text="The user’s grants that reach the repository.")


class WhoMaySerializer(serializers.Serializer[Any]):
    everyone = serializers.BooleanField(
        source="everyone.verdict.allowed",
        help_text="True: anyone may, signed in or not; `results` are those who also have a grant.",
    )
    results = AllowedUserSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class AccessMatrix(ApiView):
    @operation("access_matrix", answer=MatrixSerializer, query=MatrixQuerySerializer)
    def get(self, request: Request, handle: str) -> Response:
        """Show what each user may do now in each namespace, or with each image of one. Paged both ways."""
        account, query = account_permissions.account(self.by, handle), self.query
        asked = MatrixQuery(
            user=query["user"],
            name=query["name"],
            granted=query["granted"],
            page=query["page"],
            columns=query["columns"],
            opened=query["namespace"],
        )
        if asked.opened:
            found = access_matrix.of_namespace(permissions.namespace(self.by, handle, asked.opened), asked)
        else:
            found = access_matrix.of_account(account, asked)
        return self.answer(
            {
                "columns": found.columns,
                "results": [row for row in found.rows if row.user],
                "next": self.address(found.users.next_url),
                "previous": self.address(found.users.previous_url),
                "next_columns": self.address(found.names.next_url),
                "previous_columns": self.address(found.names.previous_url),
            }
        )


class AccessCheck(ApiView):
    @operation("access_check", answer=AccessCheckSerializer, query=AccessCheckQuery)
    def get(self, request: Request, handle: str) -> Response:
        """Say whether a user may do something to a repository, and why, as the token server would decide now."""
        account = account_permissions.account(self.by, handle)
        query = self.query
        return self.answer(
            access_check.check(
                account,
                user=self._user(account, query["user"]),
                action=Action(query["action"]),
                repository=query["repository"],
            )
        )

    def _user(self, account: Account, username: str) -> RegistryUser | None:
        if not username:
            return None
        try:
            return account_permissions.user(self.by, account.handle, username)
        except NotFound:
            raise Invalid.on(
                "user", _("There is no user “%(name)s” in this account.") % {"name": username}
            ) from None


class WhoMay(ApiView):
    @operation("access_who", answer=WhoMaySerializer, query=WhoMayQuery)
    def get(self, request: Request, handle: str) -> Response:
        """List the account’s users who may do something to a repository, and through which grants."""
        account = account_permissions.account(self.by, handle)
        action, repository = Action(self.query["action"]), self.query["repository"]
        found = access_check.who_may(
            account,
            action=action,
            repository=repository,
            cursor=self.query["page"],
            query={"action": action.value, "repository": repository},
        )
        return self.answer(
            {
                "everyone": found.everyone,
                "results": found.users,
                "next": self.address(found.page.next_url),
                "previous": self.address(found.page.previous_url),
            }
        )
