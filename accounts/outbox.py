"""Mails that wait to be sent: rows, so that no page waits for a mail server, nor tells by its time what was sent."""

import base64
import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from accounts.common import clock
from accounts.models import OutgoingMail

LEASE: Final = timedelta(minutes=2)  # longer than an attempt takes; then another worker tries
GIVE_UP: Final = timedelta(days=1)
KEPT: Final = timedelta(days=30)  # of those given up, to be seen
AT_ONCE: Final = 100

log = logging.getLogger(__name__)


class OutboxBackend(BaseEmailBackend):
    """Django's mail, put into the outbox. The worker sends by MAIL_TRANSPORT."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        now = clock.now()
        rows = [
            OutgoingMail(to=to, encrypted=_seal(each), due_at=now)
            for each in email_messages
            for to in each.recipients()
        ]
        OutgoingMail.objects.bulk_create(rows)
        return len(email_messages)


def send_due(*, now: datetime) -> int:
    """How many were sent. A server that does not answer is asked no further, until the next time."""
    sent = 0
    for row in _due(now).order_by("due_at", "id")[:AT_ONCE]:
        if not _take(row, now):
            continue
        try:
            _send(row)
        except InvalidToken:
            _put_off(row, now, "django.key is another since it was written", for_good=True)
        except (SMTPException, OSError, UnicodeError) as error:  # the last: of a host that is no name
            _put_off(row, now, _words(error))
            if not isinstance(error, SMTPRecipientsRefused | SMTPDataError):
                break  # not about this mail
        else:
            row.delete()
            sent += 1
    return sent


def any_due() -> bool:
    return _due(clock.now()).exists()


def _due(now: datetime) -> QuerySet[OutgoingMail]:
    return OutgoingMail.objects.filter(due_at__lte=now)


def forget_given_up(*, now: datetime) -> None:
    OutgoingMail.objects.filter(due_at=None, created_at__lt=now - KEPT).delete()


def counts(most: int = 1000) -> dict[str, int]:
    """Those that were tried in vain and wait, and those given up."""
    tried = OutgoingMail.objects.filter(attempts__gt=0).order_by()
    return {
        "waiting": tried.exclude(due_at=None).exclude(problem="")[:most].count(),
        "given_up": tried.filter(due_at=None)[:most].count(),
    }


def last_problem() -> str:
    found = OutgoingMail.objects.exclude(problem="").order_by("-id")
    return found.values_list("problem", flat=True).first() or ""


def _take(row: OutgoingMail, now: datetime) -> bool:
    """One worker alone; and an attempt is written down before it is begun."""
    mine = OutgoingMail.objects.filter(pk=row.pk, due_at=row.due_at)
    return bool(mine.update(due_at=now + LEASE, attempts=row.attempts + 1))


@transaction.atomic
def _put_off(row: OutgoingMail, now: datetime, problem: str, *, for_good: bool = False) -> None:
    """For half a minute, a minute, two … an hour; after a day for ever, and what it said is forgotten."""
    over = for_good or now - row.created_at >= GIVE_UP
    wait = min(timedelta(seconds=30 * 2 ** min(row.attempts, 10)), timedelta(hours=1))
    values = {"due_at": None, "encrypted": ""} if over else {"due_at": now + wait}
    OutgoingMail.objects.filter(pk=row.pk).update(problem=problem[:200], **values)
    log.warning("a mail could not be sent%s: %s", " and is given up" if over else "", problem)


def _send(row: OutgoingMail) -> None:
    content = json.loads(_cipher().decrypt(row.encrypted.encode()))
    connection = get_connection(settings.MAIL_TRANSPORT)
    EmailMessage(connection=connection, to=[row.to], **content).send()


def _seal(mail: EmailMessage) -> str:
    content = {
        "subject": str(mail.subject),
        "body": str(mail.body),
        "from_email": mail.from_email,
        "headers": {name: str(value) for name, value in mail.extra_headers.items()},
    }
    return _cipher().encrypt(json.dumps(content).encode()).decode()


def _cipher() -> Fernet:
    """Return the cipher: what is in a backup of the database opens nothing without the key beside it."""
    key = salted_hmac("accounts.outbox", "mail", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _words(error: Exception) -> str:
    """Without what the server wrote: it may repeat a password."""
    if isinstance(error, SMTPRecipientsRefused):
        return "the mail server refuses the address"
    if isinstance(error, SMTPResponseException):
        return f"the mail server answers {error.smtp_code} ({type(error).__name__})"
    return f"the mail server does not answer ({type(error).__name__})"
