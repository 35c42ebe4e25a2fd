"""Webhooks: who may make one, what is refused, and what of it is kept secret."""

import base64
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.common import encryption
from accounts.common.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import Account, AuditEvent
from accounts.outbound.addresses import networks_from
from namespaces import permissions
from namespaces.models import Webhook, WebhookDelivery
from namespaces.services import namespaces, webhooks
from namespaces.webhooks import stored_secrets
from tests.cast import Cast
from tests.factories import NamespaceFactory

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/path?type=cloudevents&secret=0123456789"
PUSHED = ["image.pushed"]


def make(cast: Cast, **given: Any) -> Webhook:
    values = {"url": URL, "format": "cloudevents", "event_types": PUSHED} | given
    return webhooks.create(by=cast.by("manager"), account=cast.account, **values).webhook


def errors(cast: Cast, **given: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as error:
        make(cast, **given)
    assert not Webhook.objects.exists()
    return error.value.errors


def actions() -> list[str]:
    rows = AuditEvent.objects.filter(object_kind="webhook").order_by("id")
    return list(rows.values_list("action", flat=True))


def has_webhooks(cast: Cast) -> bool:
    return Account.objects.get(pk=cast.account.pk).has_webhooks


def test_a_manager_makes_one_and_reads_its_secret_once(cast: Cast) -> None:
    created = webhooks.create(
        by=cast.by("manager"), account=cast.account, url=f" {URL} ", format="cloudevents",
        event_types=["tag.deleted", "image.pushed"], name="Deploy", authorization="Bearer s3cr3t",
    )  # fmt: skip
    row = Webhook.objects.get()
    assert (row.name, row.url, row.event_types, row.enabled, row.scope, str(row)) == (
        "Deploy", "https://hooks.example.com/path?type=…&secret=…", ["image.pushed", "tag.deleted"], True, "", "Deploy",
    )  # fmt: skip
    kept = stored_secrets.decrypt(row)
    assert (kept.url, kept.authorization, kept.previous) == (URL, "Bearer s3cr3t", "")
    assert kept.signing == created.signing_secret
    prefix, _underscore, key = kept.signing.partition("_")
    assert (prefix, len(base64.b64decode(key, validate=True))) == ("whsec", 24)
    assert has_webhooks(cast)
    event = AuditEvent.objects.get()
    assert (event.action, event.object, event.after["url"]) == (
        "webhook.created",
        "Deploy",
        "https://hooks.example.com/…",
    )


def test_no_secret_is_in_a_row_or_in_the_audit_log_as_it_is(cast: Cast) -> None:
    row = make(cast, authorization="Bearer s3cr3t")
    secret = webhooks.replace_secret(by=cast.by("owner"), webhook=row)
    webhooks.change(by=cast.by("owner"), webhook=row, authorization="")
    stored = [*Webhook.objects.values(), *AuditEvent.objects.values()]
    for each in ("0123456789", "s3cr3t", secret):
        assert each not in str(stored)
    moved = row.secrets
    with pytest.raises(encryption.Undecryptable):
        encryption.decrypt(moved, purpose="second factors")


def test_the_audit_log_which_viewers_read_holds_no_path(cast: Cast) -> None:
    row = make(cast, url="https://deploy.example.com/api/webhooks/5f0c1d")
    by = cast.by("owner")
    webhooks.change(by=by, webhook=row, url="https://deploy.example.com/api/webhooks/8a9b7c")
    created, changed = AuditEvent.objects.order_by("id")
    assert created.object == created.after["url"] == changed.after["url"] == "https://deploy.example.com/…"
    assert changed.after["path"] == "changed"
    webhooks.change(by=by, webhook=row, url="https://other.example.com/8a9b7c")
    assert "path" not in AuditEvent.objects.latest("id").after
    webhooks.remove(by=by, webhook=row)
    page = cast.client("viewer").get(f"/a/{cast.account.handle}/activity/").content.decode()
    assert "https://deploy.example.com/…" in page
    for each in ("5f0c1d", "8a9b7c"):
        assert each not in str([*AuditEvent.objects.values()]) + page


def test_its_scope_is_an_account_a_namespace_or_an_image(cast: Cast) -> None:
    team = NamespaceFactory(account=cast.account, name="team")
    assert make(cast, namespace=team).scope == "team"
    assert make(cast, namespace=team, image_name="app/web").scope == "team/app/web"
    row = make(cast)
    assert (row.scope, str(row)) == ("", "https://hooks.example.com/path")


def test_what_is_wrong_is_said_at_its_field(cast: Cast) -> None:
    other = NamespaceFactory(account=cast.elsewhere)
    own = NamespaceFactory(account=cast.account, name="team")
    assert set(errors(cast, name="x" * 81, format="xml", url="ftp://x", authorization="ä")) == {
        "name", "format", "url", "authorization",
    }  # fmt: skip
    assert errors(cast, format="harbor", event_types=["user.denied"]) == {
        "event_types": ["This format cannot express: user.denied."]
    }
    assert set(errors(cast, authorization="x" * 2001)) == {"authorization"}
    assert set(errors(cast, authorization="a\nb")) == {"authorization"}
    assert set(errors(cast, namespace=other)) == {"namespace"}
    assert set(errors(cast, image_name="app")) == {"image_name"}
    assert set(errors(cast, namespace=own, image_name="App")) == {"image_name"}
    assert set(errors(cast, namespace=own, event_types=["user.denied"])) == {"event_types"}


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://10.0.0.5/x", "The address is private (10.0.0.5); an operator can allow it with WEBHOOK_NETWORKS."),
        ("http://hooks.example.com", "Without https, only addresses in WEBHOOK_NETWORKS are allowed."),
        ("https://me:pass@hooks.example.com", "The URL must not contain a username or a password."),
        ("https://169.254.169.254/x",
         "The panel never connects to 169.254.169.254: it is a link-local, multicast or metadata address."),
    ],
)  # fmt: skip
def test_an_address_that_nobody_may_call_is_refused(cast: Cast, url: str, sentence: str) -> None:
    assert errors(cast, url=url) == {"url": [sentence]}


def test_an_operator_opens_private_networks_also_without_tls(cast: Cast, settings: Settings) -> None:
    settings.WEBHOOK_NETWORKS = networks_from(["10.0.0.0/8"])
    assert make(cast, url="http://10.0.0.5:8080/x").url == "http://10.0.0.5:8080/x"
    assert make(cast, url="http://keel.internal/x").enabled  # a name is looked up with each message
    with pytest.raises(Invalid, match="Without https"):
        make(cast, url="http://192.0.1.7/x")


def test_an_account_has_fifty_at_most(cast: Cast, settings: Settings) -> None:
    settings.WEBHOOKS_MOST = 1
    make(cast)
    with pytest.raises(Conflict, match=r"at most 1 webhook\."):
        make(cast)


def test_what_is_given_is_changed_and_the_rest_stays(cast: Cast) -> None:
    row = make(cast, authorization="Bearer s3cr3t", name="One")
    by = cast.by("owner")
    webhooks.change(by=by, webhook=row, name="Two", url=row.url)  # as it was shown
    assert stored_secrets.decrypt(Webhook.objects.get()).url == URL
    webhooks.change(by=by, webhook=row, url="https://hooks.example.com/other", event_types=["tag.deleted"])
    changed = Webhook.objects.get()
    kept = stored_secrets.decrypt(changed)
    assert (changed.name, changed.event_types, kept.authorization) == (
        "Two",
        ["tag.deleted"],
        "Bearer s3cr3t",
    )
    assert changed.url == kept.url == "https://hooks.example.com/other"
    webhooks.change(by=by, webhook=row, name="Two")
    assert actions() == ["webhook.created", "webhook.changed", "webhook.changed"]


def test_an_authorization_header_goes_to_no_other_host(cast: Cast) -> None:
    row = make(cast, authorization="Bearer s3cr3t")
    by = cast.by("owner")
    for url in ("https://evil.example/x", "https://hooks.example.com:8443/x"):
        with pytest.raises(Invalid, match=r"given for hooks\.example\.com"):
            webhooks.change(by=by, webhook=row, url=url)
    with pytest.raises(Invalid, match="must begin with https"):
        webhooks.change(by=by, webhook=row, url="ftp://x")
    changed = webhooks.change(by=by, webhook=row, url="https://new.example/x", authorization="")
    assert stored_secrets.decrypt(changed).authorization == ""
    webhooks.change(by=by, webhook=row, url="https://newer.example/x", authorization="Basic abc=")
    assert stored_secrets.decrypt(Webhook.objects.get()).authorization == "Basic abc="


def test_a_new_secret_leaves_the_old_one_for_a_day(cast: Cast) -> None:
    row = make(cast)
    old = stored_secrets.decrypt(row).signing
    new = webhooks.replace_secret(by=cast.by("owner"), webhook=row)
    changed = Webhook.objects.get()
    kept = stored_secrets.decrypt(changed)
    assert (kept.signing, kept.previous, kept.url) == (new, old, URL)
    assert changed.previous_secret_until
    assert actions()[-1] == "webhook.secret_replaced"


def test_it_is_switched_off_and_on(cast: Cast) -> None:
    row, by = make(cast), cast.by("owner")
    delivery = webhooks.send_test(by=by, webhook=row)
    WebhookDelivery.objects.update(attempts=3, uncounted_attempts=1)
    assert webhooks.set_enabled(by=by, webhook=row, enabled=False).disabled_at
    webhooks.set_enabled(by=by, webhook=row, enabled=False)
    on = webhooks.set_enabled(by=by, webhook=row, enabled=True)
    assert (on.enabled, on.disabled_at) == (True, None)
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.uncounted_attempts) == (3, 3)  # as if it were new
    assert actions() == ["webhook.created", "webhook.tested", "webhook.disabled", "webhook.enabled"]


def test_a_deleted_namespace_takes_its_webhooks_along_and_the_audit_log_names_them(cast: Cast) -> None:
    namespace = NamespaceFactory(account=cast.account, name="team")
    make(cast, namespace=namespace, name="Deploy")
    rest = make(cast, name="All")
    namespaces.delete(by=cast.by("owner"), namespace=namespace, confirmation="team")
    assert list(Webhook.objects.all()) == [rest]
    event = AuditEvent.objects.get(action="webhook.deleted")
    assert (event.object, event.account_id, event.before["scope"]) == ("Deploy", cast.account.pk, "team")


def test_a_test_waits_once(cast: Cast) -> None:
    row, by = make(cast), cast.by("owner")
    first = webhooks.send_test(by=by, webhook=row)
    assert webhooks.send_test(by=by, webhook=row).pk == first.pk
    assert (str(first), first.requested_by) == ("webhook.test ", cast.owner.email)


def test_a_message_is_sent_again_with_its_id(cast: Cast) -> None:
    row, by = make(cast), cast.by("owner")
    old = WebhookDelivery.objects.create(
        webhook=row,
        event_type="image.pushed",
        subject="team/app:1",
        data={"tag": "1"},
        state="failed",
        due_at=None,
    )
    again = webhooks.resend(by=by, delivery=old)
    assert (again.message_id, again.data, again.state) == (old.message_id, {"tag": "1"}, "waiting")
    assert again.pk != old.pk
    assert webhooks.resend(by=by, delivery=again).pk == again.pk
    assert actions() == ["webhook.created", "webhook.resent"]
    webhooks.change(by=by, webhook=row, event_types=["tag.deleted"])
    with pytest.raises(Conflict, match="has been changed since"):
        webhooks.resend(by=by, delivery=old)
    webhooks.set_enabled(by=by, webhook=row, enabled=False)
    with pytest.raises(Conflict, match="The webhook is off"):
        webhooks.resend(by=by, delivery=old)


def test_what_is_gone_is_not_found(cast: Cast) -> None:
    row, by = make(cast), cast.by("owner")
    other = make(cast)
    delivery = webhooks.send_test(by=by, webhook=other)
    webhooks.remove(by=by, webhook=row)
    assert has_webhooks(cast)
    WebhookDelivery.objects.filter(pk=delivery.pk).delete()
    with pytest.raises(NotFound):
        webhooks.resend(by=by, delivery=delivery)
    webhooks.remove(by=by, webhook=other)
    assert not has_webhooks(cast)
    assert actions()[-1] == "webhook.deleted"
    for act in (webhooks.replace_secret, webhooks.send_test, webhooks.remove, webhooks.change):
        with pytest.raises(NotFound):
            act(by=by, webhook=row)  # type: ignore[operator]


def test_it_is_loaded_by_who_may_change_it(cast: Cast) -> None:
    row = make(cast)
    handle = cast.account.handle
    delivery = webhooks.send_test(by=cast.by("owner"), webhook=row)
    for who in ("owner", "manager"):
        assert permissions.webhook(cast.by(who), handle, row.pk) == row
        assert permissions.webhook_delivery(cast.by(who), handle, row.pk, delivery.pk) == delivery
    with pytest.raises(Forbidden, match="Viewers can’t see or change webhooks"):
        permissions.webhook(cast.by("viewer"), handle, row.pk)
    with pytest.raises(NotFound):
        permissions.webhook(cast.by("stranger"), handle, row.pk)
    with pytest.raises(NotFound):
        permissions.webhook(cast.by("stranger"), cast.elsewhere.handle, row.pk)
    other = make(cast)
    with pytest.raises(NotFound):
        permissions.webhook_delivery(cast.by("owner"), handle, other.pk, delivery.pk)
