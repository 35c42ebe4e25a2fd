"""The pages of webhooks: presets that choose safely, secrets that are shown once, and who may look."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.common.lazy_text import lazy
from accounts.outbound.addresses import networks_from
from namespaces.models import Namespace, Webhook, WebhookDelivery
from namespaces.webhooks import stored_secrets
from namespaces.webhooks.earlier_attempts import Attempt, and_another
from namespaces.webhooks.event_types import EventType
from namespaces.webhooks.presets import PRESETS
from tests import factories
from tests.cast import OUTSIDERS, Cast

HERE = "/a/team-red/webhooks/"
URL = "https://updater.example.com/webhook?type=harbor&secret=0123456789"
FORM = {"preset": "own", "where": "", "url": URL, "event_types": "image.pushed", "format": "cloudevents"}


@pytest.fixture
def team(cast: Cast) -> Namespace:
    found: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return found


@pytest.fixture
def hook(cast: Cast) -> Webhook:
    found: Webhook = factories.WebhookFactory(account=cast.account, url=URL)
    return found


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def create(cast: Cast, **given: Any) -> HttpResponse:
    return cast.client("manager").post(f"{HERE}new/", FORM | {"once": "a mark"} | given)


def test_where_there_is_none_the_receivers_are_offered(cast: Cast) -> None:
    page = text_of(cast.client("manager").get(HERE))
    assert "No webhooks yet" in page
    for slug in PRESETS:
        assert f"{HERE}new/?preset={slug}" in page


def test_it_is_found_from_settings_namespace_and_image(cast: Cast, team: Namespace) -> None:
    factories.TagFactory(image__namespace=team, image__name="app/api")
    manager, viewer = cast.client("manager"), cast.client("viewer")
    found = {
        "/a/team-red/settings/": HERE,
        "/a/team-red/n/team/": "/a/team-red/n/team/webhooks/",
        "/a/team-red/n/team/i/app/api/": "/a/team-red/n/team/i/app/api/-/webhooks/",
    }
    for page, leads_to in found.items():
        assert f'href="{leads_to}"' in text_of(manager.get(page))
        assert f'href="{leads_to}"' not in text_of(viewer.get(page))
    for page, where in (
        (found["/a/team-red/n/team/"], "team"),
        (f"{found['/a/team-red/n/team/i/app/api/']}", "team%2Fapp%2Fapi"),
    ):
        assert f"{HERE}new/?where={where}&amp;preset=flux" in text_of(manager.get(page))


def test_lists_show_what_is_told_of_them(cast: Cast, team: Namespace) -> None:
    named = {"account": {}, "namespace": {"namespace": team}, "image": {"namespace": team, "image_name": "app/api"},
             "other image": {"namespace": team, "image_name": "web"}}  # fmt: skip
    for name, scope in named.items():
        factories.WebhookFactory(account=cast.account, name=f"of the {name}", **scope)
    client = cast.client("owner")

    def shown(page: str) -> set[str]:
        return set(re.findall(r">of the ([a-z ]+)<", text_of(client.get(page))))

    assert shown(HERE) == set(named)
    assert shown("/a/team-red/n/team/webhooks/") == set(named)
    assert shown("/a/team-red/n/team/i/app/api/-/webhooks/") == {"account", "namespace", "image"}
    assert shown("/a/team-red/n/team/i/not-pushed/-/webhooks/") == {"account", "namespace"}


def test_the_state_is_seen_at_a_glance(cast: Cast) -> None:
    now = timezone.now()
    problem = lazy("Nothing answers at %(host)s on port %(port)s.", host="a.example", port="443")
    for more in (
        {},
        {"last_tried_at": now, "last_status": 204, "last_delivered_at": now},
        {"last_tried_at": now, "last_status": 503},
        {"last_tried_at": now, "last_problem": problem},
        {"enabled": False},
        {"enabled": False, "disabled_reason": lazy("It answered 410: it is gone.")},
    ):
        factories.WebhookFactory(account=cast.account, **more)
    page = text_of(cast.client("owner").get(HERE))
    states = re.findall(r'class="state state-(\w+)">([^<]+)<', page)
    assert states == [("none", "on, nothing sent yet"), ("good", "on, working"), ("warn", "on, but failing"),
                      ("warn", "on, but failing"), ("none", "switched off"), ("bad", "switched off")]  # fmt: skip
    for why in (
        "The receiver answered 503.",
        "Nothing answers at a.example on port 443.",
        "It answered 410: it is gone.",
    ):
        assert why in page


@pytest.mark.parametrize("slug", [slug for slug in PRESETS if slug != "own"])
def test_a_preset_chooses_what_its_receiver_reads(cast: Cast, slug: str) -> None:
    preset = PRESETS[slug]
    page = text_of(cast.client("manager").get(f"{HERE}new/?preset={slug}"))
    assert f"Set up {preset.name}" in page
    offered = re.findall(r'name="event_types" value="([^"]+)"', page)
    assert offered == ["image.pushed", "image.restored"]
    form = {"preset": slug, "format": preset.format.value, "authorization": "Basic Zm9v"}
    assert "whsec_" in text_of(create(cast, **form))
    row = Webhook.objects.get()
    assert (row.format, row.event_types) == (preset.format.value, ["image.pushed"])
    assert create(cast, **form, once="another", event_types="tag.deleted").status_code == 400
    assert create(cast, **form | {"format": "cloudevents"}, once="a third").status_code == 400
    assert Webhook.objects.count() == 1


@pytest.mark.parametrize("slug", ["flux", "argocd"])
def test_a_receiver_that_wants_a_secret_gets_one(cast: Cast, slug: str) -> None:
    form = {"preset": slug, "format": "harbor"}
    response = create(cast, **form, authorization=" ")
    assert response.status_code == 400
    assert f"{PRESETS[slug].name} accepts nothing without it." in text_of(response)
    assert create(cast, **form, authorization="a token").status_code == 200


def test_a_program_of_ones_own_may_be_told_everything(cast: Cast) -> None:
    page = text_of(cast.client("manager").get(f"{HERE}new/?preset=own"))
    assert re.findall(r'name="event_types" value="([^"]+)"', page) == [each.value for each in EventType]
    assert "Create webhook" in page


def test_what_is_no_preset_asks_which(cast: Cast) -> None:
    assert "Which service should it notify?" in text_of(
        cast.client("manager").get(f"{HERE}new/?preset=nonsense")
    )
    assert create(cast, preset="nonsense").status_code == 400
    assert not Webhook.objects.exists()


def test_the_secret_is_shown_once_and_the_rest_never(cast: Cast, team: Namespace) -> None:
    client = cast.client("manager")
    form = FORM | {
        "once": "m",
        "where": "localhost:5000/team/app/api",
        "name": "Deploy",
        "authorization": "Basic c2VjcmV0",
    }
    page = text_of(client.post(f"{HERE}new/", form))
    row = Webhook.objects.get()
    kept = stored_secrets.decrypt(row)
    assert row.scope == "team/app/api"
    assert kept.signing in page
    assert "0123456789" not in page
    for path in ("", f"{row.pk}/", f"{row.pk}/edit/"):
        page = text_of(client.get(HERE + path))
        assert "Deploy" in page
        for secret in (kept.signing, "0123456789", "c2VjcmV0"):
            assert secret not in page
    assert "type=…&amp;secret=…" in page
    assert "One is set. Leave this empty to keep it." in page
    again = client.post(f"{HERE}new/", form)
    assert again.headers["Location"] == HERE
    assert Webhook.objects.count() == 1


def test_where_names_a_namespace_of_the_account(cast: Cast, team: Namespace) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    for where in ("theirs", "nowhere/app"):
        assert "There is no namespace" in text_of(create(cast, where=where))
    assert create(cast, where="team/UPPER").status_code == 400
    assert not Webhook.objects.exists()
    response = create(cast, where="team", event_types=["image.pushed", "user.denied"])
    assert "Only a webhook of the whole account can be told" in text_of(response)


def test_a_private_address_is_refused_with_the_setting_that_opens_it(cast: Cast, settings: Settings) -> None:
    response = create(cast, url="http://10.1.2.3/hook")
    assert response.status_code == 400
    assert "an operator can allow it with WEBHOOK_NETWORKS" in text_of(response)
    settings.WEBHOOK_NETWORKS = networks_from(["10.1.0.0/16"])
    assert create(cast, url="http://10.1.2.3/hook").status_code == 200


def edit(cast: Cast, hook: Webhook, **given: Any) -> HttpResponse:
    return cast.client("manager").post(f"{HERE}{hook.pk}/edit/", FORM | {"url": hook.url} | given)


def test_an_edit_keeps_what_it_does_not_show(cast: Cast, hook: Webhook) -> None:
    hook.secrets = stored_secrets.encrypt(
        stored_secrets.WebhookSecrets(url=URL, signing="whsec_x", authorization="Bearer t0ken")
    )
    hook.url = "https://updater.example.com/webhook?type=…&secret=…"
    hook.save()
    assert edit(cast, hook, name="Renamed").status_code == 302
    hook.refresh_from_db()
    kept = stored_secrets.decrypt(hook)
    assert (hook.name, kept.url, kept.authorization) == ("Renamed", URL, "Bearer t0ken")

    assert edit(cast, hook, url="https://elsewhere.example/").status_code == 400
    assert edit(cast, hook, authorization="Bearer new").status_code == 302
    hook.refresh_from_db()
    assert stored_secrets.decrypt(hook).authorization == "Bearer new"
    assert edit(cast, hook, no_authorization="on").status_code == 302
    hook.refresh_from_db()
    assert stored_secrets.decrypt(hook).authorization == ""
    assert "no_authorization" not in text_of(cast.client("manager").get(f"{HERE}{hook.pk}/edit/"))


def test_a_narrow_webhook_has_the_form_of_its_receiver(cast: Cast, hook: Webhook) -> None:
    Webhook.objects.update(format="keel")
    assert "Set up Keel" in text_of(cast.client("manager").get(f"{HERE}{hook.pk}/edit/"))
    Webhook.objects.update(format="harbor", event_types=["tag.deleted"])
    page = text_of(cast.client("manager").get(f"{HERE}{hook.pk}/edit/"))
    assert "Set up your program" in page
    assert re.search(r'value="tag.deleted"[^>]* checked', page)


def test_a_new_secret_is_asked_about_and_shown_once(cast: Cast, hook: Webhook) -> None:
    client, path = cast.client("manager"), f"{HERE}{hook.pk}/secret/"
    before = stored_secrets.decrypt(hook).signing
    page = text_of(client.get(path))
    assert "For 24 hours, what is sent is signed with both." in page
    assert "before the present one" not in page
    page = text_of(client.post(path, {"once": "a mark"}))
    hook.refresh_from_db()
    kept = stored_secrets.decrypt(hook)
    assert (kept.previous, kept.signing in page, before in page) == (before, True, False)
    assert client.post(path, {"once": "a mark"}).headers["Location"] == f"{HERE}{hook.pk}/"
    assert client.post(path, {}).headers["Location"] == path
    hook.refresh_from_db()
    assert stored_secrets.decrypt(hook) == kept
    assert "The secret before the present one is no longer used." in text_of(client.get(path))
    assert "The old one ends" in text_of(client.get(f"{HERE}{hook.pk}/"))


def test_it_is_switched_off_and_on_again(cast: Cast, hook: Webhook) -> None:
    client, path = cast.client("manager"), f"{HERE}{hook.pk}/toggle/"
    client.post(path, {"enabled": "no"})
    page = text_of(client.get(f"{HERE}{hook.pk}/"))
    assert "This webhook is off." in page
    assert "Switch on again" in page
    Webhook.objects.update(disabled_reason=lazy("It answered 410: it is gone."))
    assert "The panel switched this webhook off: It answered 410: it is gone." in text_of(
        client.get(f"{HERE}{hook.pk}/")
    )
    client.post(path, {"enabled": "yes"})
    hook.refresh_from_db()
    assert (hook.enabled, hook.disabled_reason) == (True, "")
    assert "Switch off" in text_of(client.get(f"{HERE}{hook.pk}/"))


def test_a_test_leads_to_how_it_went(cast: Cast, hook: Webhook) -> None:
    client = cast.client("manager")
    response = client.post(f"{HERE}{hook.pk}/test/")
    sent = WebhookDelivery.objects.get()
    assert response.headers["Location"] == f"{HERE}{hook.pk}/deliveries/{sent.pk}/"
    page = text_of(client.get(response.headers["Location"]))
    assert "A test" in page
    assert "Nothing was sent yet." in page
    assert "Requested by" in page


@pytest.fixture
def failed(hook: Webhook) -> WebhookDelivery:
    return hook.deliveries.create(
        event_type="image.pushed", subject="team/app:1.0", state="failed", due_at=None, attempts=6,
        tried_at=timezone.now(), milliseconds=1234, status=503, request="POST /webhook?type=…", answer="<b>busy</b>",
    )  # fmt: skip


def test_a_delivery_shows_request_and_answer(cast: Cast, failed: WebhookDelivery) -> None:
    page = text_of(cast.client("manager").get(f"{HERE}{failed.webhook_id}/deliveries/{failed.pk}/"))
    for part in ("The receiver answered 503.", "took 1,234 ms", "POST /webhook?type=…", "&lt;b&gt;busy", "given up",
                 failed.header_id):  # fmt: skip
        assert part in page
    assert "data-live" not in page


def test_a_delivery_shows_what_came_of_each_attempt(cast: Cast, failed: WebhookDelivery) -> None:
    busy = lazy("The receiver answered %(status)s.", status="502")
    attempt = Attempt(timezone.now(), 502, busy, 2345, '{"error":"<i>busy</i>"}')
    failed.earlier_attempts = and_another([], attempt)
    failed.request = 'POST /hook\n\n{"a":"<script>"}'
    failed.save()
    page = text_of(cast.client("manager").get(f"{HERE}{failed.webhook_id}/deliveries/{failed.pk}/"))
    for part in ("Earlier attempts", "The receiver answered 502.", "2,345 ms",
                 "{\n  &quot;error&quot;: &quot;&lt;i&gt;busy",
                 "POST /hook\n\n{\n  &quot;a&quot;: &quot;&lt;script&gt;"):  # fmt: skip
        assert part in page
    failed.earlier_attempts = []
    failed.save()
    page = text_of(cast.client("manager").get(f"{HERE}{failed.webhook_id}/deliveries/{failed.pk}/"))
    assert "Earlier attempts" not in page


def test_while_it_is_sent_no_answer_is_missed(cast: Cast, failed: WebhookDelivery) -> None:
    path = f"{HERE}{failed.webhook_id}/deliveries/{failed.pk}/"
    WebhookDelivery.objects.update(state="waiting", due_at=timezone.now(), status=None, answer="")
    page = text_of(cast.client("manager").get(path))
    assert "being sent" in page
    assert "Nothing was answered yet." in page
    assert not {part for part in ("Try now", "Next try") if part in page}
    WebhookDelivery.objects.update(problem="Nothing answers there.")
    page = text_of(cast.client("manager").get(path))
    assert not {part for part in ("There was no answer.", "Try now", "Next try") if part not in page}


def test_it_is_sent_again_while_the_webhook_is_on(cast: Cast, failed: WebhookDelivery) -> None:
    client, path = cast.client("manager"), f"{HERE}{failed.webhook_id}/deliveries/{failed.pk}/"
    Webhook.objects.update(enabled=False)
    assert "Send again" not in text_of(client.get(path))
    page = text_of(client.post(f"{path}resend/", follow=True))
    assert "The webhook is off." in page
    assert WebhookDelivery.objects.count() == 1
    Webhook.objects.update(enabled=True)
    assert "Send again" in text_of(client.get(path))
    response = client.post(f"{path}resend/")
    again = WebhookDelivery.objects.get(state="waiting")
    assert (again.message_id, again.requested_by) == (failed.message_id, "manager@example.com")
    assert "Try now" in text_of(client.get(response.headers["Location"]))


def test_what_was_sent_is_a_list_in_pages(cast: Cast, hook: Webhook) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    hook.deliveries.bulk_create(
        [
            WebhookDelivery(webhook=hook, event_type="image.pushed", subject=f"team/app:{number}", state="delivered",
                            due_at=None, attempts=1, status=200)
            for number in range(60)
        ]
        + [WebhookDelivery(webhook=hook, event_type="of a later build", due_at=soon, attempts=2, status=500)]
    )  # fmt: skip
    client, path = cast.client("manager"), f"{HERE}{hook.pk}/"
    page = text_of(client.get(path))
    assert page.count("team/app:") == 19
    assert "will be tried again" in page
    assert "of a later build" in page
    assert 'rel="next"' in page
    page = text_of(client.get(f"{path}?state=waiting"))
    assert "team/app:" not in page
    assert "of a later build" in page
    assert "None are in this state." in text_of(client.get(f"{path}?state=failed"))
    assert text_of(client.get(f"{path}?state=nonsense")).count("team/app:") == 19
    Webhook.objects.update(enabled=False)
    assert "waits until the webhook is on" in text_of(client.get(path))


def test_a_deletion_says_what_is_lost(cast: Cast, hook: Webhook) -> None:
    client, path = cast.client("manager"), f"{HERE}{hook.pk}/delete/"
    assert "What still waits" not in text_of(client.get(path))
    hook.deliveries.create(event_type="image.pushed")
    assert "What still waits (1) is not sent." in text_of(client.get(path))
    assert client.post(path).headers["Location"] == HERE
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("who", ["viewer", *OUTSIDERS])
def test_others_neither_look_nor_change(
    cast: Cast, team: Namespace, failed: WebhookDelivery, who: str
) -> None:
    """A receiver's path may be its secret, so viewers do not see it."""
    client, hook = cast.client(who), f"{HERE}{failed.webhook_id}/"
    below = ["", "edit/", f"deliveries/{failed.pk}/", "secret/", "delete/"]
    pages = [HERE, f"{HERE}new/", *(hook + each for each in below)]
    pages += ["/a/team-red/n/team/webhooks/", "/a/team-red/n/team/i/app/-/webhooks/"]
    for page in pages:
        response = client.get(page)
        assert response.status_code == {"viewer": 403, "stranger": 404, "anonymous": 302}[who]
        assert "updater.example.com" not in text_of(response)


def test_without_the_key_it_is_still_shown_switched_off_and_deleted(cast: Cast, hook: Webhook) -> None:
    Webhook.objects.update(secrets="99:of a key that is gone")
    page = cast.client("owner").get(f"{HERE}{hook.pk}/")
    assert "the key is missing" in text_of(page)
    off = cast.client("owner").post(f"{HERE}{hook.pk}/toggle/", {"enabled": "no"})
    assert (off.status_code, Webhook.objects.get().enabled) == (302, False)
    assert cast.client("owner").post(f"{HERE}{hook.pk}/delete/").status_code == 302
    assert not Webhook.objects.exists()
