"""Webhooks of an account: which services are told of what; and what was sent to them."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions as account_permissions
from accounts.api.openapi import operation
from accounts.api.serializers import SEARCH_MAX, Moment, PageQuery, Strict
from accounts.api.view import ApiView
from accounts.common.errors import Invalid, NotFound
from accounts.models import Account
from accounts.principal import Principal
from accounts.roles import Permission
from namespaces import permissions
from namespaces.listing import webhook_list
from namespaces.models import Namespace, Webhook, WebhookDelivery
from namespaces.services import webhooks as service
from namespaces.webhooks import earlier_attempts
from namespaces.webhooks.event_types import EventType, Format

FORMATS = [each.value for each in Format]
TYPES = [each.value for each in EventType]
_URL = "Where it is sent to. The values after `?` are hidden (`…`) in every answer."
_AUTHORIZATION = "The header Authorization, exactly as it is sent; empty: none. It is never shown again."
_SIGNING = "Of Standard Webhooks (`whsec_…`). Only in this answer."


class WebhookSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(allow_blank=True)
    namespace = serializers.SerializerMethodField(help_text="Empty: the whole account.")
    image = serializers.CharField(
        source="image_name", allow_blank=True, help_text="Empty: the whole namespace."
    )
    url = serializers.CharField(help_text=_URL)
    format = serializers.ChoiceField(FORMATS)
    event_types = serializers.ListField(child=serializers.ChoiceField(TYPES))
    enabled = serializers.BooleanField()
    disabled_at = Moment(allow_null=True)
    disabled_reason = serializers.CharField(
        allow_blank=True, help_text="Why the panel disabled it. Empty where a person did."
    )
    previous_secret_until = Moment(
        allow_null=True, help_text="Until then messages are signed with the secret before, too."
    )
    last_tried_at = Moment(allow_null=True)
    last_status = serializers.IntegerField(
        allow_null=True, help_text="The HTTP status of the last attempt. Null: there was no answer."
    )
    last_problem = serializers.CharField(allow_blank=True, help_text="Why there was no answer.")
    last_delivered_at = Moment(allow_null=True)
    created_at = Moment()

    def get_namespace(self, webhook: Webhook) -> str:
        return webhook.namespace.name if webhook.namespace else ""


class NewWebhookSerializer(serializers.Serializer[Any]):
    webhook = WebhookSerializer()
    signing_secret = serializers.CharField(help_text=_SIGNING)


class SigningSecretSerializer(serializers.Serializer[Any]):
    signing_secret = serializers.CharField(help_text=_SIGNING)
    previous_secret_until = Moment(help_text="Until then messages are signed with both.")


class DeliverySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    message_id = serializers.CharField(
        source="header_id", help_text="The header `webhook-id`: the same in each attempt."
    )
    event_type = serializers.CharField(help_text="Without `registry-manager.` in front.")
    subject = serializers.CharField(allow_blank=True, help_text="`team/app:1.2`, or a username.")
    requested_by = serializers.CharField(
        allow_blank=True, help_text="Who asked for a test, or to send it again."
    )
    state = serializers.ChoiceField(webhook_list.STATES)
    attempt_count = serializers.IntegerField(source="attempts")
    created_at = Moment()
    due_at = Moment(allow_null=True, help_text="The next attempt. Null: it has ended.")
    tried_at = Moment(allow_null=True)
    took_milliseconds = serializers.IntegerField(source="milliseconds", allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="Null: there was no answer.")
    problem = serializers.CharField(allow_blank=True, help_text="Why there was no answer.")


class AttemptSerializer(serializers.Serializer[Any]):
    tried_at = Moment()
    took_milliseconds = serializers.IntegerField(source="milliseconds", allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="Null: there was no answer.")
    problem = serializers.CharField(
        allow_blank=True,
        help_text="Why there was no answer, or what it means. With a `status` of null, empty: the next attempt began "
        "before the end of this one was noted.",
    )
    answer = serializers.CharField(allow_blank=True, help_text="Its first 1,024 characters.")


class LoggedDeliverySerializer(DeliverySerializer):
    request = serializers.CharField(
        allow_blank=True, help_text="What was sent last, without secrets, at most 4,096 characters."
    )
    answer = serializers.CharField(allow_blank=True, help_text="What came back, at most 4,096 characters.")
    earlier_attempts = serializers.SerializerMethodField(
        help_text="Those before the last one, the oldest first; at most 10."
    )

    @extend_schema_field(AttemptSerializer(many=True))
    def get_earlier_attempts(self, delivery: WebhookDelivery) -> Any:
        return AttemptSerializer(earlier_attempts.read(delivery.earlier_attempts), many=True).data


class WebhookQuery(PageQuery):
    namespace = serializers.CharField(
        default="", max_length=SEARCH_MAX, help_text="Only those that are told of this namespace."
    )


class DeliveryQuery(PageQuery):
    state = serializers.ChoiceField(webhook_list.STATES, default="", allow_blank=True)


class WebhookBody(Strict):
    """What is not given stays."""

    name = serializers.CharField(required=False, allow_blank=True)
    url = serializers.CharField(required=False, help_text=f"{_URL} As it is shown: it stays.")
    format = serializers.ChoiceField(FORMATS, required=False)
    event_types = serializers.ListField(
        child=serializers.ChoiceField(TYPES), max_length=len(TYPES), required=False
    )
    authorization = serializers.CharField(required=False, allow_blank=True, help_text=_AUTHORIZATION)


class WebhookChange(WebhookBody):
    enabled = serializers.BooleanField(
        required=False, help_text="True also switches on what the panel disabled."
    )


class NewWebhookBody(WebhookBody):
    url = serializers.CharField(help_text=_URL)
    format = serializers.ChoiceField(FORMATS, default=Format.CLOUDEVENTS.value)
    event_types = serializers.ListField(child=serializers.ChoiceField(TYPES), max_length=len(TYPES))
    namespace = serializers.CharField(
        default="", allow_blank=True, help_text="A namespace of this account. Empty: the whole account."
    )
    image = serializers.CharField(
        default="", allow_blank=True, help_text="One image of the namespace, pushed already or not."
    )


class Webhooks(ApiView):
    @operation("webhooks_list", answer=WebhookSerializer, pages=True, query=WebhookQuery)
    def get(self, request: Request, handle: str) -> Response:
        name = self.query["namespace"]
        if name:
            namespace = permissions.namespace(self.by, handle, name, Permission.WEBHOOKS_MANAGE)
            return self.page(webhook_list.webhooks_about(namespace))
        return self.page(webhook_list.webhooks_of(_account(self.by, handle)))

    @operation("webhooks_create", body=NewWebhookBody, answer=NewWebhookSerializer, status=201)
    def post(self, request: Request, handle: str) -> Response:
        """Create one, enabled. An account has at most 50."""
        account = _account(self.by, handle)
        body = self.data()
        body["image_name"] = body.pop("image")
        body["namespace"] = _namespace(self.by, handle, body["namespace"])
        try:
            return self.answer(service.create(by=self.by, account=account, **body))
        except Invalid as error:
            raise error.renamed(image_name="image") from None


class OneWebhook(ApiView):
    @operation("webhooks_read", answer=WebhookSerializer)
    def get(self, request: Request, handle: str, webhook_id: int) -> Response:
        return self.answer(permissions.webhook(self.by, handle, webhook_id))

    @operation("webhooks_update", body=WebhookChange, answer=WebhookSerializer)
    def patch(self, request: Request, handle: str, webhook_id: int) -> Response:
        """Change, enable or disable it. With a URL of another host `authorization` has to be given again."""
        row = permissions.webhook(self.by, handle, webhook_id)
        change = self.data()
        enabled = change.pop("enabled", None)
        return self.answer(service.change_and_set_enabled(by=self.by, webhook=row, enabled=enabled, **change))

    @operation("webhooks_delete", status=204)
    def delete(self, request: Request, handle: str, webhook_id: int) -> Response:
        """Delete it with the list of what was sent. What still waits is not sent."""
        service.remove(by=self.by, webhook=permissions.webhook(self.by, handle, webhook_id))
        return self.answer()


class WebhookSigningSecret(ApiView):
    @operation("webhooks_replace_secret", answer=SigningSecretSerializer)
    def post(self, request: Request, handle: str, webhook_id: int) -> Response:
        """Make a new signing secret. For 24 hours messages are signed with both."""
        row = permissions.webhook(self.by, handle, webhook_id)
        secret = service.replace_secret(by=self.by, webhook=row)
        row.refresh_from_db(fields=["previous_secret_until"])
        return self.answer({"signing_secret": secret, "previous_secret_until": row.previous_secret_until})


class TestWebhook(ApiView):
    @operation("webhooks_test", answer=DeliverySerializer, status=202)
    def post(self, request: Request, handle: str, webhook_id: int) -> Response:
        """Send a test, also by a disabled one. It is tried once; its delivery says how that went."""
        return self.answer(
            service.send_test(by=self.by, webhook=permissions.webhook(self.by, handle, webhook_id))
        )


class WebhookDeliveries(ApiView):
    @operation("deliveries_list", answer=DeliverySerializer, pages=True, query=DeliveryQuery)
    def get(self, request: Request, handle: str, webhook_id: int) -> Response:
        """List what was sent or waits, the newest first."""
        row = permissions.webhook(self.by, handle, webhook_id)
        return self.page(webhook_list.deliveries_of(row, self.query["state"]))


class OneWebhookDelivery(ApiView):
    @operation("deliveries_read", answer=LoggedDeliverySerializer)
    def get(self, request: Request, handle: str, webhook_id: int, delivery_id: int) -> Response:
        return self.answer(permissions.webhook_delivery(self.by, handle, webhook_id, delivery_id))


class ResendWebhookDelivery(ApiView):
    @operation("deliveries_resend", answer=DeliverySerializer, status=202)
    def post(self, request: Request, handle: str, webhook_id: int, delivery_id: int) -> Response:
        """Send the same message again, with the same `webhook-id`. 409 while the webhook is disabled."""
        found = permissions.webhook_delivery(self.by, handle, webhook_id, delivery_id)
        return self.answer(service.resend(by=self.by, delivery=found))


def _account(by: Principal, handle: str) -> Account:
    return account_permissions.account(by, handle, Permission.WEBHOOKS_MANAGE)


def _namespace(by: Principal, handle: str, name: str) -> Namespace | None:
    if not name:
        return None
    try:
        return permissions.namespace(by, handle, name, Permission.WEBHOOKS_MANAGE)
    except NotFound:
        raise Invalid.on("namespace", _("Not found in this account.")) from None
