"""Webhooks through the API: what is secret is given once, and the same sentences as on the pages."""

from typing import Any

import pytest
from django.utils import timezone

from namespaces.models import Namespace, Webhook, WebhookDelivery
from namespaces.webhooks import stored_secrets
from namespaces.webhooks.earlier_attempts import Attempt, and_another
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import Caller, error_of, token_of

HERE = "accounts/team-red/webhooks/"
URL = "https://hooks.example.com/path?type=x&secret=0123456789"


@pytest.fixture
def call(cast: Cast) -> Caller:
    return Caller(token_of(cast.manager))


@pytest.fixture
def team(cast: Cast) -> Namespace:
    found: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return found


def create(call: Caller, **given: Any) -> Any:
    return call("POST", HERE, {"url": URL, "event_types": ["image.pushed"]} | given)


def test_secrets_are_in_the_answer_that_makes_them_alone(call: Caller, team: Namespace) -> None:
    response = create(
        call, namespace="team", image="app/api", format="harbor", authorization="Basic c2VjcmV0", name="CD"
    )
    assert response.status_code == 201
    made = response.json()
    row = Webhook.objects.get()
    kept = stored_secrets.decrypt(row)
    assert made["signing_secret"] == kept.signing
    assert (kept.url, kept.authorization) == (URL, "Basic c2VjcmV0")
    one = f"{HERE}{row.pk}/"
    found = call("GET", one).json()
    assert found == made["webhook"] == call("GET", HERE).json()["results"][0]
    assert (found["namespace"], found["image"], found["url"], found["enabled"]) == (
        "team", "app/api", "https://hooks.example.com/path?type=…&secret=…", True,
    )  # fmt: skip
    assert "authorization" not in found

    replaced = call("POST", f"{one}signing-secret/").json()
    row.refresh_from_db()
    assert stored_secrets.decrypt(row).signing == replaced["signing_secret"] != kept.signing
    assert call("GET", one).json()["previous_secret_until"] == replaced["previous_secret_until"]


def test_a_change_names_what_changes(call: Caller) -> None:
    create(call, authorization="Bearer t")
    one = f"{HERE}{Webhook.objects.get().pk}/"
    shown = call("GET", one).json()["url"]
    changed = call(
        "PATCH", one, {"name": "CD", "url": shown, "format": "cloudevents-json", "enabled": False}
    ).json()
    assert (changed["name"], changed["url"], changed["format"], changed["enabled"]) == (
        "CD", shown, "cloudevents-json", False,
    )  # fmt: skip
    assert stored_secrets.decrypt(Webhook.objects.get()).url == URL
    response = call("PATCH", one, {"url": "https://elsewhere.example/"})
    assert list(error_of(response)["fields"]) == ["authorization"]
    assert call("PATCH", one, {"enabled": True}).json()["enabled"] is True
    assert call("DELETE", one).status_code == 204
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "http://10.1.2.3/"}, "url"),
        ({"event_types": []}, "event_types"),
        ({"event_types": ["image.burned"]}, "event_types"),
        ({"format": "xml"}, "format"),
        ({"format": "keel", "event_types": ["tag.deleted"]}, "event_types"),
        ({"namespace": "nowhere"}, "namespace"),
        ({"namespace": "theirs"}, "namespace"),
        ({"namespace": "team", "image": "UPPER"}, "image"),
        ({"image": "app"}, "image"),
        ({"namespace": "team", "event_types": ["user.denied"]}, "event_types"),
        ({"authorization": "two\nlines"}, "authorization"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    call: Caller, cast: Cast, team: Namespace, given: dict[str, Any], field: str
) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    response = create(call, **given)
    assert response.status_code == 400
    assert any(name.startswith(field) for name in error_of(response)["fields"])
    assert not Webhook.objects.exists()


def test_a_list_can_be_of_one_namespace(call: Caller, cast: Cast, team: Namespace) -> None:
    other = factories.NamespaceFactory(account=cast.account, name="other")
    for name, scope in (("all", {}), ("team", {"namespace": team}), ("other", {"namespace": other})):
        factories.WebhookFactory(account=cast.account, name=name, **scope)
    assert [each["name"] for each in call("GET", HERE).json()["results"]] == ["all", "team", "other"]
    found = call("GET", f"{HERE}?namespace=team").json()["results"]
    assert [each["name"] for each in found] == ["all", "team"]
    assert call("GET", f"{HERE}?namespace=nowhere").status_code == 404


def test_what_was_sent_is_read_and_sent_again(call: Caller, cast: Cast) -> None:
    hook = factories.WebhookFactory(account=cast.account)
    failed = hook.deliveries.create(
        event_type="image.pushed", subject="team/app:1", state="failed", due_at=None, status=503, request="POST /",
        answer="busy",
        earlier_attempts=and_another([], Attempt(timezone.now(), 502, "The receiver answered 502.", 7, "")),
    )  # fmt: skip
    one = f"{HERE}{hook.pk}/"
    test = call("POST", f"{one}test/")
    assert (test.status_code, test.json()["event_type"], test.json()["state"]) == (
        202,
        "webhook.test",
        "waiting",
    )
    listed = call("GET", f"{one}deliveries/").json()["results"]
    assert [each["id"] for each in listed] == [test.json()["id"], failed.pk]
    assert not {"answer", "earlier_attempts"}.intersection(listed[0])
    assert [each["id"] for each in call("GET", f"{one}deliveries/?state=failed").json()["results"]] == [
        failed.pk
    ]
    read = call("GET", f"{one}deliveries/{failed.pk}/").json()
    assert (read["request"], read["answer"], read["status"], read["due_at"]) == ("POST /", "busy", 503, None)
    [earlier] = read["earlier_attempts"]
    assert (earlier["status"], earlier["problem"]) == (502, "The receiver answered 502.")
    assert (earlier["took_milliseconds"], earlier["answer"]) == (7, "")

    again = call("POST", f"{one}deliveries/{failed.pk}/resend/")
    assert again.status_code == 202
    assert again.json()["message_id"] == read["message_id"]
    Webhook.objects.update(enabled=False)
    assert call("POST", f"{one}deliveries/{failed.pk}/resend/").status_code == 409
    other = factories.WebhookFactory(account=cast.account)
    assert call("GET", f"{HERE}{other.pk}/deliveries/{failed.pk}/").status_code == 404
    assert WebhookDelivery.objects.count() == 3
