"""Which group at the sign-in provider has which role in which account: for operators."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts import reauthentication
from accounts.api.openapi import operation
from accounts.api.serializers import ROLES, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.selectors import group_roles
from accounts.services import group_roles as service
from accounts.sso.identity import GROUP_MAX
from registry_sync.operations import permissions


class GroupRoleSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    group = serializers.CharField(help_text="As the provider sends it.")
    account = serializers.CharField(source="account.handle")
    role = serializers.ChoiceField(ROLES)
    created_at = Moment()
    created_by = serializers.CharField()


class GroupRoleBody(Strict):
    group = serializers.CharField(max_length=GROUP_MAX, trim_whitespace=True)
    account = serializers.CharField(help_text="The handle of an open account.")
    role = serializers.ChoiceField(ROLES)


class RoleBody(Strict):
    role = serializers.ChoiceField(ROLES)


class PreviewQuery(Strict):
    role = serializers.ChoiceField(ROLES, required=False, help_text="Without it: were the group removed.")


class EffectSerializer(serializers.Serializer[Any]):
    person_id = serializers.IntegerField(source="member.person_id")
    email = serializers.EmailField(source="member.person.email")
    role_before = serializers.ChoiceField(ROLES, source="change.before")
    role_after = serializers.ChoiceField(
        ROLES, source="change.after", allow_null=True, help_text="null: no longer a member."
    )
    is_last_owner = serializers.BooleanField(
        source="change.kept", help_text="Keeps the role, because the account would have no owner."
    )


class GroupRoles(ApiView):
    @operation("system_groups_list", answer=GroupRoleSerializer, pages=True, query=PageQuery)
    def get(self, request: Request) -> Response:
        account_permissions.operator(self.by)
        return self.page(group_roles())

    @operation("system_groups_create", body=GroupRoleBody, answer=GroupRoleSerializer, status=201)
    def post(self, request: Request) -> Response:
        """Give a group a role in an account. Whoever is in it gets it at their next sign-in."""
        account_permissions.operator(self.by)
        reauthentication.demand(request)
        return self.answer(service.create(by=self.by, **self.data()))


class OneGroupRole(ApiView):
    @operation("system_groups_update", body=RoleBody, answer=GroupRoleSerializer)
    def patch(self, request: Request, id: int) -> Response:  # noqa: A002
        """Change the role: at once of those whom the group made members, of others at their next sign-in."""
        row = permissions.group_role(self.by, id)
        reauthentication.demand(request)
        return self.answer(service.change(by=self.by, group_role=row, **self.data()))

    @operation("system_groups_delete", status=204)
    def delete(self, request: Request, id: int) -> Response:  # noqa: A002
        """End at once what the group alone gives in this account."""
        row = permissions.group_role(self.by, id)
        reauthentication.demand(request)
        service.delete(by=self.by, group_role=row)
        return self.answer()


class GroupRolePreview(ApiView):
    @operation("system_groups_preview", answer=EffectSerializer, pages=True, query=PreviewQuery)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002
        """Return whose role would change at once, were the group’s role another, or none."""
        row = permissions.group_role(self.by, id)
        return self.only_page(service.preview(row, role=self.query.get("role")))
