"""What an account holds, and how much it may."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions
from accounts.api.limits import LimitsSerializer, shown
from accounts.api.openapi import operation
from accounts.api.view import ApiView
from registry_sync.limits import OF_ACCOUNT


class Limits(ApiView):
    @operation("accounts_limits", answer=LimitsSerializer)
    def get(self, request: Request, handle: str) -> Response:
        return self.answer(shown(OF_ACCOUNT, permissions.account(self.by, handle)))
