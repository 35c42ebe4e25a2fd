"""Addresses that do not exist answer in the API's own error shape."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.api.view import ApiView
from accounts.common.errors import NotFound


class Nothing(ApiView):
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(_("Nothing is at this URL. URLs end with a slash; /api/v1/schema/ lists them."))
