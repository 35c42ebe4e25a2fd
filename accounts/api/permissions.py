"""Closed unless a view says otherwise; what a person may do in an account is asked at the gates."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import Person

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this while it is loading


class Refuse(BasePermission):
    """The default: a view that names no permission lets nobody in."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class IsPerson(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, Person) and request.user.is_active
