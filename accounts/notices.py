"""Mails to the people of an account, each in their own language. They go to the outbox with the change they tell of."""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import Account, Person
from accounts.roles import Role

log = logging.getLogger(__name__)
IN_CHARGE = (Role.OWNER, Role.MANAGER)


def tell_managers(account: Account, template: str, context: Mapping[str, Any]) -> None:
    """Write to its owners and managers."""
    found = Person.objects.filter(
        memberships__account=account, memberships__role__in=IN_CHARGE, is_active=True
    )
    for person in found.order_by("pk"):
        tell(person, template, {"account": account, **context})


def tell(person: Person, template: str, context: Mapping[str, Any]) -> None:
    """`template`: a text in templates/accounts/mail/, whose first line is the subject."""
    with translation.override(person.language or settings.LANGUAGE_CODE):
        text = render_to_string(
            f"accounts/mail/{template}.txt", {"panel": settings.PUBLIC_URL, "person": person, **context}
        )
    subject, _newline, body = text.strip().partition("\n")
    try:
        send_mail(subject[:200], body.strip() + "\n", None, [person.email])
    except (
        OSError
    ) as error:  # a folder without room, where no mail server is set; what the mail tells of stands
        log.warning("a mail could not be written: %s", type(error).__name__)
