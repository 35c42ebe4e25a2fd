"""All accounts of the installation, and what an operator does to one; to others none of this is there."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts import reauthentication
from accounts.api.limits import LimitsSerializer
from accounts.api.limits import shown as shown_limits
from accounts.api.members import MemberSerializer
from accounts.api.openapi import operation
from accounts.api.serializers import Moment, SearchQuery, Strict
from accounts.api.view import ApiView
from accounts.models import Account
from accounts.services import account_limits, members, suspension
from registry_sync.limits import OF_ACCOUNT
from registry_sync.operations import account_list, account_service, permissions

STATES = ["open", "suspended", "closed"]


class SystemAccountSerializer(serializers.Serializer[Any]):
    handle = serializers.CharField()
    name = serializers.CharField()
    state = serializers.SerializerMethodField()
    created_at = Moment()
    suspended_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)
    owners = serializers.ListField(child=serializers.EmailField())
    namespace_count = serializers.IntegerField()
    user_count = serializers.IntegerField()
    stored_bytes = serializers.IntegerField(
        help_text="In the registry, as last measured; a shared layer once."
    )

    def get_state(self, account: Account) -> str:
        return account_list.state_of(account)


class OwnLimitsSerializer(serializers.Serializer[Any]):
    """Of this account alone; null: the installation’s setting counts, 0: any number."""

    namespaces = serializers.IntegerField(source="max_namespaces", allow_null=True)
    users = serializers.IntegerField(source="max_users", allow_null=True)
    grants = serializers.IntegerField(source="max_grants", allow_null=True)
    members = serializers.IntegerField(source="max_members", allow_null=True)
    invitations = serializers.IntegerField(source="max_invitations", allow_null=True)
    retention_rules = serializers.IntegerField(source="max_retention_rules", allow_null=True)


class OneSystemAccountSerializer(SystemAccountSerializer):
    limits = LimitsSerializer(help_text="What it holds, and may.")
    own_limits = OwnLimitsSerializer()


class OwnLimitsBody(Strict):
    """What is not given stays. Null: the installation’s setting counts, 0: any number."""

    namespaces = serializers.IntegerField(required=False, allow_null=True)
    users = serializers.IntegerField(required=False, allow_null=True)
    grants = serializers.IntegerField(required=False, allow_null=True)
    members = serializers.IntegerField(required=False, allow_null=True)
    invitations = serializers.IntegerField(required=False, allow_null=True)
    retention_rules = serializers.IntegerField(required=False, allow_null=True)


class OwnerBody(Strict):
    email = serializers.CharField(max_length=254, help_text="The address that a person signs in with.")


class AccountsQuery(SearchQuery):
    state = serializers.ChoiceField(account_list.STATES, required=False)
    sort = serializers.ChoiceField(account_list.SORTS, default=account_list.BY_HANDLE)


class SystemAccounts(ApiView):
    @operation("system_accounts_list", answer=SystemAccountSerializer, pages=True, query=AccountsQuery)
    def get(self, request: Request) -> Response:
        """List all accounts. `search` is a part of a handle, a name or an owner’s address."""
        account_permissions.operator(self.by)
        query = self.query
        found = account_list.accounts(
            search=query["search"], state=query.get("state", ""), sort=query["sort"]
        )
        return self.page(found, shown=lambda rows: _with_owners(list(rows)))


class SystemAccountView(ApiView):
    def shown(self, handle: str) -> Response:
        (found,) = _with_owners([permissions.account(self.by, handle)])
        found.limits = shown_limits(OF_ACCOUNT, found)
        found.own_limits = found
        return self.answer(found)


class OneSystemAccount(SystemAccountView):
    @operation("system_accounts_read", answer=OneSystemAccountSerializer)
    def get(self, request: Request, handle: str) -> Response:
        return self.shown(handle)


class SystemAccountLimits(SystemAccountView):
    @operation("system_accounts_limits", body=OwnLimitsBody, answer=OneSystemAccountSerializer)
    def patch(self, request: Request, handle: str) -> Response:
        """Change the limits of this account alone. What it holds already stays."""
        found = permissions.account(self.by, handle)
        account_limits.change(by=self.by, account=found, limits=OF_ACCOUNT, values=self.data())
        return self.shown(handle)


class SuspendAccount(SystemAccountView):
    @operation("system_accounts_suspend", answer=OneSystemAccountSerializer)
    def post(self, request: Request, handle: str) -> Response:
        """Refuse its users every token, and everybody its public images, until it is restored."""
        found = permissions.account(self.by, handle)
        reauthentication.demand(request)
        suspension.suspend(by=self.by, account=found)
        return self.shown(handle)


class RestoreAccount(SystemAccountView):
    @operation("system_accounts_restore", answer=OneSystemAccountSerializer)
    def post(self, request: Request, handle: str) -> Response:
        """End the suspension. Retention rules that count days are turned off if it lasted a day or more."""
        account_service.restore(by=self.by, account=permissions.account(self.by, handle))
        return self.shown(handle)


class AccountOwners(ApiView):
    @operation("system_accounts_assign_owner", body=OwnerBody, answer=MemberSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        """Make a person an owner of the account, a member already or not."""
        found = permissions.account(self.by, handle)
        reauthentication.demand(request)
        return self.answer(members.assign_owner(by=self.by, account=found, **self.data()))


def _with_owners(found: list[Any]) -> list[Any]:
    owners = account_list.owners(found)
    for account in found:
        account.owners = [member.person.email for member in owners[account.pk]]
    return found
