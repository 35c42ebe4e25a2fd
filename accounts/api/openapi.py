"""Declares what a handler takes and answers. The view enforces it and the schema prints it: one truth."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from accounts.api.serializers import ErrorSerializer, NoQuery, Strict

Handler = TypeVar("Handler", bound=Callable[..., Any])
Shape = type[serializers.Serializer[Any]]

SESSION: dict[str, list[str]] = {"session": []}  # of accounts/api/docs.py
_ERRORS = {
    400: "The input cannot be taken; `fields` says where.",
    401: "No valid session or API token.",
    403: "Your role is too small, or the CSRF token is missing.",
    404: "Not there, or not for you.",
    429: "Called too often; try again after `Retry-After` seconds.",
    503: "A part does not answer; try again after `Retry-After` seconds.",
}
_WRITE_ERRORS = {
    409: "Meets something that is already there.",
    413: "The body is too large.",
    415: "The body is not application/json.",
}


@dataclass(frozen=True)
class Operation:
    answer: Shape | None
    status: int
    body: type[Strict] | None
    query: type[Strict]
    signed_in: bool


def operation(
    id: str,  # noqa: A002
    *,
    answer: Shape | None = None,
    pages: bool = False,
    status: int = 200,
    body: type[Strict] | None = None,
    query: type[Strict] = NoQuery,
    signed_in: bool = False,
    files: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """`id` is `<noun>_<verb>`; `pages` makes the answer a page of `answer`; `signed_in` shuts API tokens out.

    `files` are the media types of an answer that is a file.
    """
    shown = _page_of(answer) if answer and pages else answer
    errors = _ERRORS | (_WRITE_ERRORS if body else {})
    responses = {code: OpenApiResponse(ErrorSerializer, text) for code, text in errors.items()}

    def declare(handler: Handler) -> Handler:
        handler.operation = Operation(answer, status, body, query, signed_in)  # type: ignore[attr-defined]
        documented = extend_schema(
            operation_id=id,
            tags=[id.partition("_")[0]],
            parameters=[] if query is NoQuery else [query],
            request=body,
            auth=[SESSION] if signed_in else None,  # type: ignore[list-item]
            responses=_answers(status, shown, files) | responses,
            # OpenAPI knows no body of a DELETE.
            extensions={"x-body": _help_texts(body)} if body and handler.__name__ == "delete" else None,
        )
        return documented(handler)

    return declare


def _answers(status: int, shown: Any, files: tuple[str, ...]) -> dict[Any, Any]:
    return {(status, media_type): OpenApiTypes.STR for media_type in files} or {status: shown}


def _help_texts(body: type[Strict]) -> dict[str, str]:
    return {name: str(field.help_text or "") for name, field in body().fields.items()}


@cache  # one of each name: the schema tells two apart by what they are and not by what they hold
def _page_of(item: Shape) -> serializers.Serializer[Any]:
    return inline_serializer(
        f"{item.__name__.removesuffix('Serializer')}Page",
        {
            "results": item(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
        },
    )
