"""Webhooks of an account: made, changed, tried and removed. Whoever changes one holds its account's lock."""

from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common import clock
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.models import Account, Person
from accounts.names import clean_title
from accounts.outbound.addresses import Refused, refusal, target
from accounts.principal import Principal
from namespaces import names
from namespaces.models import Namespace, Webhook, WebhookDelivery
from namespaces.models.webhook import PREVIOUS_SECRET_HOLDS
from namespaces.webhooks import outbox, stored_secrets
from namespaces.webhooks.event_types import FORMATS, TEST, Format, in_order, types_problem
from namespaces.webhooks.networks import webhook_networks
from namespaces.webhooks.shown_url import audit_label, receiver_text, shown_url
from namespaces.webhooks.stored_secrets import WebhookSecrets

NAME_MAX = 80
AUTHORIZATION_MAX = 2000
State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class Created:
    """`signing_secret` is shown once."""

    webhook: Webhook
    signing_secret: str


@transaction.atomic
def create(
    *,
    by: Principal,
    account: Account,
    url: str,
    format: str,
    event_types: list[str],
    name: str = "",
    namespace: Namespace | None = None,
    image_name: str = "",
    authorization: str = "",
) -> Created:
    """Create an enabled one, of the whole account without `namespace`. Raise Invalid, Conflict.

    `format`: a Format. `image_name`: an image of the namespace, pushed already or not.
    """
    _lock_account(account)
    most = settings.WEBHOOKS_MOST
    if Webhook.objects.filter(account=account).count() >= most:
        words = ngettext(
            "An account has at most %(most)s webhook.", "An account has at most %(most)s webhooks.", most
        )
        raise Conflict.on("", words % {"most": most})
    row = Webhook(account=account, namespace=namespace, image_name=image_name)
    if namespace and namespace.account_id != account.pk:
        raise Invalid.on("namespace", _("Select a namespace of this account."))
    if image_name and (
        problem := names.image_problem(image_name, namespace=namespace.name) if namespace else ""
    ):
        raise Invalid.on("image_name", translate(problem))
    if image_name and not namespace:
        raise Invalid.on("image_name", _("Select the namespace of the image, too."))
    row.created_by = Person.objects.filter(pk=by.person_id).first()
    kept = WebhookSecrets(url="", signing=stored_secrets.new_signing_secret())
    _set(row, kept, url=url, format=format, event_types=event_types, name=name, authorization=authorization)
    row.save()
    Account.objects.filter(pk=account.pk, has_webhooks=False).update(has_webhooks=True)
    _record(by, AuditAction.WEBHOOK_CREATED, row, after=_facts(row))
    return Created(row, kept.signing)


class WebhookChange(TypedDict, total=False):
    name: str
    url: str  # as it is shown: stays
    format: str
    event_types: list[str]
    authorization: str  # "": none is sent


@transaction.atomic
def change(*, by: Principal, webhook: Webhook, **change: Unpack[WebhookChange]) -> Webhook:
    """Change what is given. Raise Invalid, NotFound.

    An Authorization header is sent only to the scheme, host and port that it was given for: for others it must be
    given again, or removed.
    """
    row = _locked(webhook)
    before, secrets_before = _facts(row), row.secrets
    kept = stored_secrets.decrypt(row)
    if change.get("url") == row.url:
        del change["url"]
    if "url" in change and kept.authorization and "authorization" not in change:
        _refuse_other_receiver(kept.url, change["url"])
    _set(row, kept, **change)
    if row.secrets != secrets_before or _facts(row) != before:
        row.save(update_fields=["name", "url", "format", "event_types", "secrets"])
        after = _facts(row)
        if "url" in change and after["url"] == before["url"]:
            after["path"] = "changed"
        if "authorization" in change:
            after["authorization"] = "changed" if change["authorization"] else "removed"
        _record(by, AuditAction.WEBHOOK_CHANGED, row, before=before, after=after)
    return row


@transaction.atomic
def set_enabled(*, by: Principal, webhook: Webhook, enabled: bool) -> Webhook:
    """Switch it on or off. What waited while it was off is sent soon after it is on. Raise NotFound."""
    row = _locked(webhook)
    if row.enabled == enabled:
        return row
    row.enabled, row.disabled_reason = enabled, ""
    row.disabled_at = None if enabled else timezone.now()
    # Its messages first, as the worker that notes an attempt locks them: else each could wait for the other.
    (outbox.release if enabled else outbox.hold_back)(row)
    row.save(update_fields=["enabled", "disabled_reason", "disabled_at"])
    _record(by, AuditAction.WEBHOOK_ENABLED if enabled else AuditAction.WEBHOOK_DISABLED, row)
    return row


@transaction.atomic
def change_and_set_enabled(
    *, by: Principal, webhook: Webhook, enabled: bool | None, **wanted: Unpack[WebhookChange]
) -> Webhook:
    """Do both, or nothing; `enabled` is None where that stays. Raise as they do."""
    row = change(by=by, webhook=webhook, **wanted) if wanted else webhook
    return row if enabled is None else set_enabled(by=by, webhook=row, enabled=enabled)


@transaction.atomic
def replace_secret(*, by: Principal, webhook: Webhook) -> str:
    """Return a new signing secret, to be shown once; the one before is used beside it for a day. Raise NotFound."""
    row = _locked(webhook)
    kept = stored_secrets.decrypt(row)
    new = stored_secrets.new_signing_secret()
    row.secrets = stored_secrets.encrypt(replace(kept, signing=new, previous=kept.signing))
    row.previous_secret_until = timezone.now() + PREVIOUS_SECRET_HOLDS
    row.save(update_fields=["secrets", "previous_secret_until"])
    _record(by, AuditAction.WEBHOOK_SECRET_REPLACED, row)
    return new


@transaction.atomic
def remove(*, by: Principal, webhook: Webhook) -> None:
    """Delete it with all that was, or is to be, sent to it. Raise NotFound."""
    row = _locked(webhook)
    _record(by, AuditAction.WEBHOOK_DELETED, row, before=_facts(row))
    row.delete()
    if not Webhook.objects.filter(account=row.account_id).exists():
        Account.objects.filter(pk=row.account_id).update(has_webhooks=False)


def record_removal_with(namespace: Namespace, *, by: Principal) -> None:
    """Note that the webhooks of a namespace go with it. In its transaction, before it is deleted."""
    for row in Webhook.objects.filter(namespace=namespace).order_by("pk"):
        row.account, row.namespace = namespace.account, namespace
        _record(by, AuditAction.WEBHOOK_DELETED, row, before=_facts(row))


@transaction.atomic
def send_test(*, by: Principal, webhook: Webhook) -> WebhookDelivery:
    """Have a test sent within seconds, once; also by a webhook that is off. Return one that waits already.

    Raise NotFound.
    """
    row = _locked(webhook)
    waiting = WebhookDelivery.objects.filter(webhook=row, event_type=TEST, state=State.WAITING).first()
    if waiting:
        return waiting
    _record(by, AuditAction.WEBHOOK_TESTED, row)
    return WebhookDelivery.objects.create(
        webhook=row, event_type=TEST, data={"actor": by.label[:254]}, requested_by=by.label[:254],
        due_at=clock.now(),
    )  # fmt: skip


@transaction.atomic
def resend(*, by: Principal, delivery: WebhookDelivery) -> WebhookDelivery:
    """Have the same message sent again, with the same id, as a row of its own.

    Return one of the same message that waits already. Raise NotFound, and Conflict while the webhook is off.
    """
    row = _locked(delivery.webhook)
    if not row.enabled:
        raise Conflict.on("", _("The webhook is off. Switch it on first."))
    same = WebhookDelivery.objects.filter(webhook=row, message_id=delivery.message_id)
    if not (found := same.filter(pk=delivery.pk).first()):
        raise NotFound  # forgotten meanwhile
    if found.event_type not in (TEST, *row.event_types):  # its receiver may take any message for a push
        raise Conflict.on("", _("The webhook has been changed since: it is not told of this any more."))
    if waiting := same.filter(state=State.WAITING).first():
        return _try_now(waiting)
    _record(by, AuditAction.WEBHOOK_RESENT, row, after={"event": f"{found.event_type} {found.subject}"[:200]})
    return WebhookDelivery.objects.create(
        webhook=row, message_id=found.message_id, event_type=found.event_type, subject=found.subject, data=found.data,
        history_id=found.history_id, requested_by=by.label[:254], due_at=clock.now(),
    )  # fmt: skip


def _try_now(waiting: WebhookDelivery) -> WebhookDelivery:
    """Have it sent at once, unless it is being sent. That uses up no attempt: people click until it works."""
    now = clock.now()
    is_due = waiting.due_at and waiting.due_at <= now
    if is_due or waiting.is_being_sent:
        return waiting
    uncounted = min(waiting.uncounted_attempts + 1, waiting.attempts)
    # Not what a worker has taken meanwhile.
    mine = WebhookDelivery.objects.filter(pk=waiting.pk, state=State.WAITING, tried_at=waiting.tried_at)
    if mine.update(due_at=now, uncounted_attempts=uncounted):
        waiting.due_at, waiting.uncounted_attempts = now, uncounted
    return waiting


def _lock_account(account: Account) -> None:
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)


def _locked(webhook: Webhook) -> Webhook:
    """Lock its account, and return it as it is now. Raise NotFound when somebody deleted it meanwhile."""
    _lock_account(webhook.account)
    row = Webhook.objects.select_related("namespace").filter(pk=webhook.pk).first()
    if not row:
        raise NotFound
    row.account = webhook.account  # with the person's role
    return row


def _set(row: Webhook, kept: WebhookSecrets, **change: Unpack[WebhookChange]) -> None:
    """Check what is given, all of it, and set it. Raise Invalid."""
    row.name = clean_title(change.get("name", row.name))
    row.format = change.get("format", row.format)
    given = change.get("event_types", row.event_types)
    errors = {
        "name": _length_problem(row.name, NAME_MAX),
        "format": "" if row.format in FORMATS else _("Select one of the formats."),
    }
    if not errors["format"]:
        problem = types_problem(given, Format(row.format), whole_account=row.namespace is None)
        errors["event_types"] = translate(problem)
    row.event_types = in_order(given)
    if "url" in change:
        kept = replace(kept, url=change["url"].strip())
        row.url = shown_url(kept.url)
        errors["url"] = _url_problem(kept.url)
    if "authorization" in change:
        kept = replace(kept, authorization=change["authorization"].strip())
        errors["authorization"] = _authorization_problem(kept.authorization)
    if found := {field: [problem] for field, problem in errors.items() if problem}:
        raise Invalid(found)
    if not row.secrets or kept != stored_secrets.decrypt(row):
        row.secrets = stored_secrets.encrypt(kept)


def _length_problem(text: str, most: int) -> str:
    return _("Use at most %(most)s characters.") % {"most": most} if len(text) > most else ""


def _authorization_problem(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        return _("A header contains a character that cannot be sent.")
    return _length_problem(text, AUTHORIZATION_MAX)


def _url_problem(url: str) -> str:
    """Return why nothing can be sent there; "" where it can. A name is looked up with each message."""
    networks = webhook_networks()
    try:
        found = target(url)
    except Refused as refused:
        return translate(refused.text)
    if found.address and (reason := refusal(found.address, networks)):
        return translate(reason)
    if found.scheme == "http" and (
        not networks.ranges or (found.address and not networks.hold(found.address))
    ):
        sentence = _("Without https, only addresses in %(setting)s are allowed.")
        return sentence % {"setting": networks.setting}
    return ""


def _refuse_other_receiver(before: str, after: str) -> None:
    try:
        old, new = target(before), target(after.strip())
    except Refused:
        return  # what is wrong with it is said otherwise
    if (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port):
        raise Invalid.on(
            "authorization",
            _("The Authorization header was given for %(host)s. Enter it again for the new address.")
            % {"host": old.host},
        )


def _facts(row: Webhook) -> dict[str, Any]:
    """Return what the audit log keeps: no secret, and so no path. Viewers read it."""
    scope = {"scope": row.scope} if row.scope else {}
    facts = {"name": row.name, "url": receiver_text(row.url), "format": row.format, "events": row.event_types}
    return facts | scope


def _record(
    by: Principal,
    action: AuditAction,
    row: Webhook,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(by=by, action=action, kind="webhook", id=row.pk, label=audit_label(row.name, row.url),
                 account=row.account, before=before, after=after)  # fmt: skip
