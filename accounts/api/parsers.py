"""Reads a JSON body, warily: bounded in size and depth, every name once."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from accounts.api.errors import TooLarge


class BoundedJSONParser(JSONParser):
    """Django bounds what it reads itself; DRF reads the stream past that bound (DATA_UPLOAD_MAX_MEMORY_SIZE)."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge
        try:
            return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
        except ValueError as error:  # bad UTF-8 and endless integers too
            raise ParseError(_("The body is not valid JSON: %(why)s") % {"why": error}) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(_("a name appears twice in one object"))
    return found


def _no_constant(word: str) -> None:
    raise ValueError(_("%(word)s is not JSON") % {"word": word})
