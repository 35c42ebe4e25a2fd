import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models import Account, RegistryUser
from accounts.models.lazy_text_field import LazyTextField
from accounts.outbound.addresses import URL_MAX
from namespaces.models.namespace import Namespace
from namespaces.names import REPOSITORY_MAX

PREVIOUS_SECRET_HOLDS = timedelta(hours=24)
LOGGED_MAX = 4096  # characters of a request or an answer


class Webhook(models.Model):
    """A receiver of events of an account, of one namespace (`namespace`) or of one image of it (`image_name`).

    `url` is as it is shown: the values of its query are hidden. The whole one, the Authorization header and the signing
    secrets are in `secrets`, encrypted (namespaces/webhooks/stored_secrets.py).
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="webhooks")
    namespace = models.ForeignKey(Namespace, null=True, on_delete=models.CASCADE, related_name="webhooks")
    image_name = models.CharField(max_length=REPOSITORY_MAX, default="", blank=True)
    name = models.CharField(max_length=80, default="", blank=True)
    url = models.CharField(max_length=URL_MAX)
    format = models.CharField(max_length=20)  # of namespaces/webhooks/event_types.py, as the types
    event_types: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    secrets = models.TextField()
    # Until then what is sent is signed with the previous secret too; None: there is none.
    previous_secret_until = models.DateTimeField(null=True)
    enabled = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = LazyTextField(default="")  # why the panel disabled it; "" where a person did
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    # The last attempt: its HTTP status (None: no answer, `last_problem` says why) and when one was last delivered.
    last_tried_at = models.DateTimeField(null=True, editable=False)
    last_status = models.PositiveSmallIntegerField(null=True, editable=False)
    last_problem = LazyTextField(default="", editable=False)
    last_delivered_at = models.DateTimeField(null=True, editable=False)
    expiry_told_on = models.DateField(null=True, editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name or self.url.partition("?")[0]

    @property
    def scope(self) -> str:
        """As a repository is named: "", "team" or "team/app"."""
        if not self.namespace:
            return ""
        return f"{self.namespace.name}/{self.image_name}" if self.image_name else self.namespace.name


class WebhookDelivery(models.Model):
    """One message for one webhook, and how its attempts went: the outbox, and later the log.

    `data` is what happened (namespaces/webhooks/formats.py). `message_id` is the same in each attempt, and when it is
    sent again. `due_at` is None once it has ended, and while the webhook is off.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"  # given up

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    message_id = models.UUIDField(default=uuid.uuid4)
    event_type = models.CharField(max_length=40)  # an EventType, or "webhook.test"
    subject = models.CharField(max_length=400, default="")  # "team/app:1.2", or the user
    data: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    history_id = models.BigIntegerField(null=True)  # the TagHistoryEntry that it tells of
    requested_by = models.CharField(max_length=254, default="")  # who asked for a test, or to send it again
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField(null=True, default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Of those, how many do not count towards giving up: before "Try now", and before the webhook was switched on again.
    uncounted_attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Of the last attempt.
    tried_at = models.DateTimeField(null=True)
    milliseconds = models.PositiveIntegerField(null=True)
    status = models.PositiveSmallIntegerField(null=True)  # None: no answer, `problem` says why
    problem = LazyTextField(default="")
    request = models.TextField(default="")  # without secrets, at most LOGGED_MAX characters
    answer = models.TextField(default="")
    # Of those before, the oldest first (namespaces/webhooks/earlier_attempts.py).
    earlier_attempts: "models.JSONField[list[Any], list[Any]]" = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField())
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
            models.Index(fields=["due_at"], name="delivery_due", condition=~models.Q(due_at=None)),
            models.Index(
                fields=["history_id"], name="delivery_by_history", condition=~models.Q(history_id=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.subject}"

    @property
    def is_being_sent(self) -> bool:
        """Return whether an attempt has begun whose end nobody noted yet."""
        return self.state == self.State.WAITING and bool(self.attempts) and not (self.status or self.problem)

    @property
    def header_id(self) -> str:
        """Return what is sent as `webhook-id`."""
        return f"msg_{self.message_id.hex}"


class DenialWatch(models.Model):
    """How many requests of a user were denied, as counted lately and before that (webhooks/denied_bursts.py)."""

    user = models.OneToOneField(RegistryUser, on_delete=models.CASCADE, related_name="denial_watch")
    count = models.PositiveBigIntegerField(default=0)
    count_before = models.PositiveBigIntegerField(default=0)
    counted_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.count}"
