"""One attempt: writes, signs and posts a message. It asks no database, so that several run at once."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from accounts.common.lazy_text import lazy as _
from accounts.outbound import client
from accounts.outbound.addresses import Networks
from namespaces.models.webhook import LOGGED_MAX
from namespaces.webhooks.attempts import status_problem
from namespaces.webhooks.event_types import Format
from namespaces.webhooks.formats import Message, write
from namespaces.webhooks.shown_url import HIDDEN, query_values, shown_url, without_secrets
from namespaces.webhooks.signatures import signature_headers

PANEL_FAILED = _("The panel failed; its log says why.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a message goes, and how; `secrets`: that it is signed with, the newest first."""

    url: str
    format: Format
    authorization: str
    secrets: Sequence[str]
    networks: Networks


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went. `status`: of the answer, None for none; `problem`: a LazyText, "" for success.

    `request` and `answer` hold no secret, and at most LOGGED_MAX characters each.
    """

    status: int | None
    problem: str
    request: str
    answer: str
    milliseconds: int


def send(message: Message, receiver: Receiver) -> Outcome:
    """Return how it went, whatever the receiver does."""
    try:
        written = write(message, receiver.format, receiver.url)
    except Exception:  # an event of a later build
        log.exception("message %s", message.id)
        return Outcome(None, PANEL_FAILED, "", "", 0)
    headers = signature_headers(
        written.body, message_id=message.id, timestamp=int(time.time()), secrets=receiver.secrets
    )
    if written.content_type:
        headers["Content-Type"] = written.content_type
    shown = "\n".join(f"{name}: {value}" for name, value in headers.items())
    if receiver.authorization:
        headers["Authorization"] = receiver.authorization
        shown += f"\nAuthorization: {HIDDEN}"
    request = f"POST {shown_url(written.url)}\n{shown}\n\n{written.body.decode()}"
    began = time.monotonic()
    status, problem, answer, is_whole = _post(written.url, written.body, headers, receiver)
    return Outcome(
        status,
        problem,
        request[:LOGGED_MAX],
        _logged(answer, receiver, is_whole=is_whole),
        round((time.monotonic() - began) * 1000),
    )


def _post(
    url: str, body: bytes, headers: dict[str, str], receiver: Receiver
) -> tuple[int | None, str, bytes, bool]:
    """Return status, problem, the beginning of the body, and whether that is all of it."""
    try:
        response = client.post(
            url,
            body,
            networks=receiver.networks,
            most_bytes=LOGGED_MAX,
            seconds=settings.WEBHOOK_ANSWER_SECONDS,
            headers=headers,
            plain_http=True,
            only_beginning=True,
        )
    except client.OutboundError as error:
        return None, error.message, b"", True
    except Exception:
        log.exception("a webhook to %s", shown_url(url))
        return None, PANEL_FAILED, b"", True
    return response.status, status_problem(response.status), response.body, response.is_whole


def _logged(answer: bytes, receiver: Receiver, *, is_whole: bool) -> str:
    """Return what may be kept of an answer: receivers repeat what they were sent; PostgreSQL keeps no NUL."""
    secrets = [receiver.authorization, *receiver.authorization.split(), *receiver.secrets]
    text = answer.decode("utf-8", "replace").replace("\0", "\ufffd")
    secrets += query_values(receiver.url)
    return without_secrets(text, secrets, is_cut=not is_whole)[:LOGGED_MAX]
