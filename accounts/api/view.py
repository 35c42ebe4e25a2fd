"""The view that every endpoint is: persons only, strict input, declared answers, nothing cached.

Handlers carry `@operation`; they call a gate, then `data()`, then a service or selector, then answer.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.openapi import Operation
from accounts.api.parsers import BoundedJSONParser
from accounts.api.permissions import IsPerson
from accounts.api.serializers import NoQuery, Strict
from accounts.common.errors import Forbidden, Invalid, NotFound
from accounts.common.pagination import paginate
from accounts.models import ApiToken, Person
from accounts.principal import Principal
from accounts.views.request import principal_for

Row = TypeVar("Row", bound=Model)


class ApiView(APIView):  # without docstring: it would describe every operation in the schema
    permission_classes: Sequence[type[BasePermission]] = (IsPerson,)
    parser_classes = (BoundedJSONParser,)
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        declared = self.declared
        if not declared:
            return  # the method is not allowed; DRF says so next
        if declared.signed_in and request.auth:
            raise Forbidden(_("An API token cannot do this; sign in to the panel."))
        if any("\x00" in str(value) for value in kwargs.values()):  # PostgreSQL refuses NUL in any text
            raise NotFound
        self.query = _checked(declared.query, _once(request.query_params))
        if not declared.body and request.data:
            _checked(NoQuery, request.data)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response["Cache-Control"] = "no-store"
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def by(self) -> Principal:
        return principal_for(cast("Person", self.request.user), self.request.META, self.token)

    @property
    def token(self) -> ApiToken | None:
        """None for the panel’s session."""
        return cast("ApiToken | None", self.request.auth)

    @property
    def declared(self) -> Operation | None:
        handler = getattr(self, str(self.request.method).lower(), None)
        return cast("Operation | None", getattr(handler, "operation", None))

    def data(self) -> dict[str, Any]:
        """Return the body, checked. Called after the gate, so that a stranger learns nothing from a bad body."""
        assert self.declared
        assert self.declared.body
        return _checked(self.declared.body, self.request.data)

    def answer(self, row: Any = None) -> Response:
        assert self.declared
        shape = self.declared.answer
        return Response(shape(row).data if shape else None, status=self.declared.status)

    def page(self, *rows: QuerySet[Row], shown: Callable[[Sequence[Any]], Sequence[Any]] = list) -> Response:
        """Return {"results", "next", "previous"}; the addresses keep the query and begin with PUBLIC_URL.

        `shown` makes the rows of one page what is told of them.
        """
        kept = {
            name: str(value) for name, value in self.query.items() if name != "page" and value is not None
        }
        found = paginate(*rows, cursor=self.query["page"], query=kept)
        return self.only_page(shown(found.rows), found.next_url, found.previous_url)

    def only_page(self, rows: Sequence[Any], next_url: str = "", previous_url: str = "") -> Response:
        assert self.declared
        assert self.declared.answer
        return Response(
            {
                "results": self.declared.answer(rows, many=True).data,
                "next": self.address(next_url),
                "previous": self.address(previous_url),
            }
        )

    def address(self, query: str) -> str | None:
        """Return where this is asked with another query, such as `Page.next_url`; None for ""."""
        return settings.PUBLIC_URL + self.request.path + query if query else None


def _checked(shape: type[Strict], data: Any) -> dict[str, Any]:
    checked = shape(data=data)
    checked.is_valid(raise_exception=True)
    return cast("dict[str, Any]", checked.validated_data)


def _once(query: QueryDict) -> dict[str, str]:
    for name, values in query.lists():
        if len(values) > 1:
            raise Invalid.on(name[:100], _("Specify this only once."))
    return query.dict()  # type: ignore[return-value]
