"""Closed unless a view says otherwise; what a person may do in an account is asked at the gates."""

from typing import TYPE_CHECKING, cast

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.common.errors import Forbidden
from accounts.models import ApiToken, Person
from accounts.second_factors import requirement
from accounts.views.request import principal_for

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this while it is loading


class Refuse(BasePermission):
    """The default: a view that names no permission lets nobody in."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class IsPerson(BasePermission):
    """A person who is active and has the second factor that the installation requires.

    By an API token of the scope "read", only for what changes nothing.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.user, Person) or not request.user.is_active:
            return False
        by = principal_for(request.user, request.META, cast("ApiToken | None", request.auth))
        if by.read_only and request.method not in SAFE_METHODS:
            raise Forbidden(
                _("This API token has the scope “read”, so it cannot change anything. Use one with “manage”.")
            )
        requirement.admit(request.user)
        return True
