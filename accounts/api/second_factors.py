"""Whether an account, or the installation, requires a second factor."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, reauthentication
from accounts.api.openapi import operation
from accounts.api.serializers import Strict
from accounts.api.view import ApiView
from accounts.roles import Permission, has_permission
from accounts.second_factor_policy import RequiredOf
from accounts.second_factors.requirement import installation_rule
from accounts.services import second_factors

REQUIRED_OF = [each.value for each in RequiredOf]


class AccountSecondFactorSerializer(serializers.Serializer[Any]):
    second_factor_required = serializers.BooleanField(
        help_text="Whether members without a second factor are kept out of the account, in the panel and in the API."
    )
    members_without = serializers.ListField(
        child=serializers.EmailField(), help_text="Members who have none. Empty for whoever is not an owner."
    )


class AccountSecondFactorBody(Strict):
    second_factor_required = serializers.BooleanField()


class SystemSecondFactorSerializer(serializers.Serializer[Any]):
    required_of = serializers.ChoiceField(REQUIRED_OF)
    shut_out_count = serializers.IntegerField(
        help_text="How many of them have none, and must set one up to go on."
    )


class SystemSecondFactorBody(Strict):
    required_of = serializers.ChoiceField(REQUIRED_OF)


class AccountSecondFactor(ApiView):
    @operation("account_second_factor_read", answer=AccountSecondFactorSerializer)
    def get(self, request: Request, handle: str) -> Response:
        account = permissions.account(self.by, handle)
        owner = has_permission(account.role, Permission.SECOND_FACTOR_REQUIRE)
        without = second_factors.members_without(account).values_list("email", flat=True) if owner else ()
        return self.answer(
            {"second_factor_required": account.second_factor_required, "members_without": list(without)}
        )

    @operation(
        "account_second_factor_update", body=AccountSecondFactorBody, answer=AccountSecondFactorSerializer
    )
    def patch(self, request: Request, handle: str) -> Response:
        """Require a second factor of the members. Whoever asks needs one."""
        account = permissions.account(self.by, handle, Permission.SECOND_FACTOR_REQUIRE)
        reauthentication.demand(request)
        required = self.data()["second_factor_required"]
        second_factors.require_in_account(by=self.by, account=account, required=required)
        return self.get(request, handle)


class SystemSecondFactor(ApiView):
    @operation("system_second_factor_read", answer=SystemSecondFactorSerializer)
    def get(self, request: Request) -> Response:
        permissions.operator(self.by)
        rule = installation_rule()
        return self.answer(
            {"required_of": rule.value, "shut_out_count": second_factors.shut_out_by(rule).count()}
        )

    @operation(
        "system_second_factor_update", body=SystemSecondFactorBody, answer=SystemSecondFactorSerializer
    )
    def patch(self, request: Request) -> Response:
        """Require a second factor of nobody, of operators, or of everybody. Whoever asks needs one."""
        permissions.operator(self.by)
        reauthentication.demand(request)
        second_factors.require_of(by=self.by, required_of=RequiredOf(self.data()["required_of"]))
        return self.get(request)
