"""Grants: a user's level on a namespace or on one image."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Ending, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid, NotFound
from accounts.models import Account
from accounts.roles import Permission
from namespaces import permissions, selectors
from namespaces.access import Level
from namespaces.models import Grant
from namespaces.services import grants

GRANTED = [level.word for level in Level if level]


class GrantSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    user = serializers.CharField(source="user.username")
    namespace = serializers.CharField(source="namespace.name")
    image = serializers.CharField(source="image_name", help_text="Empty: the whole namespace.")
    level = serializers.ChoiceField(GRANTED, source="word")
    created_at = Moment()
    expires_at = Moment(allow_null=True, help_text="From then on it gives nothing. Null: never.")


class GrantQuery(PageQuery):
    user = serializers.CharField(default="", max_length=SEARCH_MAX, help_text="A username.")
    namespace = serializers.CharField(default="", max_length=SEARCH_MAX)
    image = serializers.CharField(
        default="", max_length=SEARCH_MAX, help_text="Only those on this very image."
    )
    state = serializers.ChoiceField(
        selectors.GRANT_STATES,
        default="",
        allow_blank=True,
        help_text="`ending`: within 30 days; `ended`: they give nothing; `idle`: no pull or push was reported in "
        "the last 60 days.",
    )


class NewGrantBody(Strict):
    user = serializers.CharField(help_text="A username of this account.")
    namespace = serializers.CharField(help_text="A namespace of this account.")
    image = serializers.CharField(
        default="", allow_blank=True, help_text="One image, pushed already or not; empty: all of them."
    )
    level = serializers.ChoiceField(GRANTED)
    expires_at = Ending(default=None)


class GrantBody(Strict):
    """What is not given stays; an `expires_at` of null means it never ends."""

    level = serializers.ChoiceField(GRANTED, required=False)
    expires_at = Ending(required=False)


class CopyGrantsBody(Strict):
    same_as = serializers.CharField(max_length=SEARCH_MAX, help_text="A username of this account.")


class Grants(ApiView):
    @operation("grants_list", answer=GrantSerializer, pages=True, query=GrantQuery)
    def get(self, request: Request, handle: str) -> Response:
        account = account_permissions.account(self.by, handle)
        query = self.query
        found = selectors.grants_in(
            account,
            username=query["user"],
            namespace_name=query["namespace"],
            image_name=query["image"],
            state=query["state"],
        )
        return self.page(found)

    @operation("grants_create", body=NewGrantBody, answer=GrantSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        """Give a level. A grant that has ended is renewed; where a live one is, the answer is a conflict."""
        account = account_permissions.account(self.by, handle, Permission.GRANTS_MANAGE)
        return self.answer(self._give(account, **self.data()))

    def _give(
        self,
        account: Account,
        *,
        user: str,
        namespace: str,
        image: str,
        level: str,
        expires_at: datetime | None,
    ) -> Grant:
        owner = permissions.namespace(self.by, account.handle, namespace, Permission.GRANTS_MANAGE)
        receiver = account_permissions.user(self.by, account.handle, user, Permission.GRANTS_MANAGE)
        try:
            return grants.give(
                by=self.by,
                namespace=owner,
                user=receiver,
                level=level,
                image_name=image,
                expires_at=expires_at,
            )
        except Invalid as error:
            raise error.renamed(image_name="image") from None


class OneGrant(ApiView):
    @operation("grants_update", body=GrantBody, answer=GrantSerializer)
    def patch(self, request: Request, handle: str, id: int) -> Response:  # noqa: A002
        grant = permissions.grant(self.by, handle, id)
        return self.answer(grants.change(by=self.by, grant=grant, **self.data()))

    @operation("grants_delete", status=204)
    def delete(self, request: Request, handle: str, id: int) -> Response:  # noqa: A002
        """Remove the grant. Takes effect with the user’s next registry token."""
        grants.remove(by=self.by, grant=permissions.grant(self.by, handle, id))
        return self.answer()


class CopyGrants(ApiView):
    @operation("users_copy_grants", body=CopyGrantsBody, answer=GrantSerializer, pages=True)
    def post(self, request: Request, handle: str, username: str) -> Response:
        """Give this user what another may do now, each grant until the same end. What it has already stays."""
        to = account_permissions.user(self.by, handle, username, Permission.GRANTS_MANAGE)
        try:
            source = account_permissions.user(
                self.by, handle, self.data()["same_as"], Permission.GRANTS_MANAGE
            )
        except NotFound:
            raise Invalid.on("same_as", _("Select a user of this account.")) from None
        return self.only_page(grants.copy(by=self.by, source=source, to=to))
