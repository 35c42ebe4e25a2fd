"""Messages arrive, signed; what fails is tried again, and a receiver that takes nothing more is switched off."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook as Verifier

from accounts.models import Account, AuditEvent
from accounts.outbound.addresses import networks_from
from namespaces.models import Webhook, WebhookDelivery
from namespaces.services import webhooks
from namespaces.webhooks import delivery, earlier_attempts, stored_secrets
from namespaces.webhooks.attempts import ATTEMPTS_MAX
from namespaces.webhooks.formats import Message, TagFacts
from namespaces.webhooks.sending import Outcome, send
from registry_sync import leases, tasks
from tests import factories
from tests.cast import Cast
from tests.parts.scripted import Answer, Scripted

pytestmark = pytest.mark.django_db
State = WebhookDelivery.State
LONG = 30.0  # seconds; only what hangs takes them


class Receiver(Scripted):
    """Answers as it is told to, and counts whom it answers at once."""

    def __init__(self) -> None:
        super().__init__(otherwise=Answer(200, b"thanks"))
        self.under_way, self.most_under_way = 0, 0
        self.let_go = threading.Event()  # what waits under /slow, as soon as `opened_by` was asked for
        self.opened_by = ""
        self._lock = threading.Lock()

    def reply(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.under_way += 1
            self.most_under_way = max(self.under_way, self.most_under_way)
        if request.path == self.opened_by:
            self.let_go.set()
        if request.path.startswith("/slow"):
            self.let_go.wait(LONG)
        with self._lock:
            self.under_way -= 1
        super().reply(request)

    def paths(self) -> list[str]:
        return [each.path for each in self.posted]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = networks_from(["127.0.0.0/8"])
    script = Receiver()
    yield script
    script.let_go.set()
    script.stop()


def hook(
    cast: Cast, receiver: Scripted, path: str = "/hook", account: Account | None = None, **given: Any
) -> Webhook:
    given = {"format": "cloudevents", "event_types": ["image.pushed", "tag.deleted"]} | given
    url = f"{receiver.url}{path}"
    return webhooks.create(by=cast.by("owner"), account=account or cast.account, url=url, **given).webhook


def push(row: Webhook, tag: str = "1", event_type: str = "image.pushed", **given: Any) -> WebhookDelivery:
    data = {
        "namespace": "team", "image": "app", "tag": tag, "digest": factories.digest_of(tag), "previous_digest": "",
        "at": timezone.now().isoformat(), "by": "ci", "public": False,
    }  # fmt: skip
    return WebhookDelivery.objects.create(
        webhook=row, event_type=event_type, subject=f"team/app:{tag}", data=data, **given
    )


def deliver() -> int:
    """All that waits, as if it were due now."""
    WebhookDelivery.objects.exclude(due_at=None).update(due_at=timezone.now())
    return delivery.deliver_due(seconds=LONG)


def last(row: WebhookDelivery) -> WebhookDelivery:
    return WebhookDelivery.objects.select_related("webhook").get(pk=row.pk)


def test_a_message_arrives_signed_and_is_in_the_log_without_secrets(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver, "/hook?secret=s3cret-query", authorization="Bearer s3cret-header")
    signing = stored_secrets.decrypt(row).signing
    receiver.otherwise = Answer(202, f"Bearer s3cret-header {signing} s3cret-query\0".encode())
    sent = push(row)
    assert delivery.any_due()
    assert deliver() == 1
    path, headers, body = receiver.posted[0]
    assert path == "/hook?secret=s3cret-query"
    assert headers["authorization"] == "Bearer s3cret-header"
    assert headers["content-type"] == "application/cloudevents+json"
    event = Verifier(signing).verify(body, headers)
    assert event["id"] == headers["webhook-id"] == f"msg_{sent.message_id.hex}"
    assert event["data"]["tag"] == "1"
    done = last(sent)
    assert (done.state, done.status, done.attempts, done.due_at, done.problem) == (
        "delivered",
        202,
        1,
        None,
        "",
    )
    assert done.answer == "… … …\ufffd"
    head, _blank, written = done.request.partition("\n\n")
    assert head.startswith("POST http://127.0.0.1:")
    assert "/hook?secret=…\nwebhook-id: msg_" in head
    assert "Authorization: …" in head
    assert json.loads(written) == event
    assert "s3cret" not in done.request + done.answer
    assert done.milliseconds is not None
    assert (done.webhook.last_status, done.webhook.last_problem) == (202, "")
    assert done.webhook.last_delivered_at == done.webhook.last_tried_at
    assert not delivery.any_due()


def test_both_secrets_verify_for_a_day(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver)
    old = stored_secrets.decrypt(row).signing
    new = webhooks.replace_secret(by=cast.by("owner"), webhook=row)
    push(row)
    deliver()
    _path, headers, body = receiver.posted[0]
    for each in (old, new):
        Verifier(each).verify(body, headers)
    Webhook.objects.update(previous_secret_until=timezone.now())
    push(row)
    deliver()
    assert " " not in receiver.posted[1].headers["webhook-signature"]


def test_what_fails_is_tried_again_with_the_same_id(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver)
    receiver.otherwise = Answer(503, b"not yet")
    sent = push(row)
    assert deliver() == 0
    failed = last(sent)
    assert (failed.state, failed.status, failed.attempts, failed.answer) == ("waiting", 503, 1, "not yet")
    assert failed.problem == "The receiver answered 503."
    assert failed.due_at
    assert timedelta(seconds=3) < failed.due_at - timezone.now() <= timedelta(seconds=6)
    assert delivery.deliver_due(seconds=LONG) == 0  # not before it is due
    assert len(receiver.posted) == 1
    receiver.otherwise = Answer(200)
    assert deliver() == 1
    ids = {each.headers["webhook-id"] for each in receiver.posted}
    assert len(ids) == 1
    assert last(sent).webhook.enabled


def test_an_open_page_is_told_that_an_attempt_begins_and_what_came_of_it(
    cast: Cast, receiver: Receiver
) -> None:
    row = hook(cast, receiver)
    client, page = cast.client("owner"), f"/a/team-red/webhooks/{row.pk}/deliveries/{push(row).pk}/"

    def ask(page: str) -> tuple[int, str]:
        """Return the status, and what the page that comes with it asks next."""
        answer = client.get(page, headers={"HX-Request": "true"})
        found = re.search(r'hx-get="(/a/[^"]+live=[^"]+)"', answer.content.decode())
        return answer.status_code, found[1] if found else page

    _status, asked = ask(page)
    [taken] = delivery._take(timezone.now(), [])
    begun, asked = ask(asked)
    assert ask(asked)[0] == 204
    delivery._keep(taken, Outcome(503, "busy", "", "", 1), timezone.now())
    assert (begun, ask(asked)[0]) == (200, 200)


def test_each_attempt_is_kept_in_its_row_with_what_came_of_it(cast: Cast, receiver: Receiver) -> None:
    sent = push(hook(cast, receiver))
    for answer in (Answer(503, b"busy"), Answer(301), Answer(202, b"thanks")):
        receiver.otherwise = answer
        deliver()
    done = last(sent)
    assert (done.state, done.attempts, done.status, done.answer) == ("delivered", 3, 202, "thanks")
    first, second = earlier_attempts.read(done.earlier_attempts)
    assert (first.status, first.problem, first.answer) == (503, "The receiver answered 503.", "busy")
    assert (second.status, second.answer) == (301, "")
    assert first.milliseconds is not None
    assert done.tried_at
    assert first.tried_at < second.tried_at < done.tried_at


def test_of_a_killed_worker_s_attempt_nobody_knows_how_it_went(cast: Cast, receiver: Receiver) -> None:
    sent = push(hook(cast, receiver))
    receiver.otherwise = Answer(503, b"busy")
    deliver()
    WebhookDelivery.objects.update(due_at=timezone.now())
    assert len(delivery._take(timezone.now(), [])) == 1  # and then it is killed
    under_way = last(sent)
    assert (under_way.attempts, under_way.status, under_way.problem, under_way.answer) == (2, None, "", "")
    receiver.otherwise = Answer(200)
    deliver()
    first, killed = earlier_attempts.read(last(sent).earlier_attempts)
    assert (first.status, killed.status, killed.problem) == (503, None, "")
    assert killed.tried_at == under_way.tried_at


def test_what_arrived_has_arrived_though_another_attempt_has_begun(cast: Cast, receiver: Receiver) -> None:
    """A worker stood still for longer than its lease; the receiver refuses an id that it has seen."""
    sent = push(hook(cast, receiver))
    [first] = delivery._take(timezone.now(), [])
    WebhookDelivery.objects.update(due_at=timezone.now())
    [second] = delivery._take(timezone.now(), [])
    assert first.pk == second.pk == sent.pk
    assert delivery._keep(first, Outcome(200, "", "", "thanks", 1), timezone.now())
    assert not delivery._keep(second, Outcome(409, "The receiver answered 409.", "", "", 1), timezone.now())
    done = last(sent)
    assert (done.state, done.status, done.due_at, done.answer) == ("delivered", 200, None, "thanks")
    assert done.webhook.last_problem == ""


def test_who_tries_now_uses_up_no_attempt(cast: Cast, receiver: Receiver) -> None:
    """Else six clicks on a receiver that is away for a minute would switch its webhook off."""
    sent = push(hook(cast, receiver))
    receiver.otherwise = Answer(500)
    deliver()
    for _click in range(ATTEMPTS_MAX):
        webhooks.resend(by=cast.by("owner"), delivery=sent)
        assert delivery.deliver_due(seconds=LONG) == 0
    assert len(receiver.posted) == ATTEMPTS_MAX + 1
    assert (last(sent).state, last(sent).webhook.enabled) == (State.WAITING, True)
    assert last(sent).attempts == ATTEMPTS_MAX + 1  # all that are listed, and the last one
    assert len(earlier_attempts.read(last(sent).earlier_attempts)) == ATTEMPTS_MAX


def test_clicks_beyond_the_first_give_no_more_attempts(cast: Cast, receiver: Receiver) -> None:
    sent = push(hook(cast, receiver))
    receiver.otherwise = Answer(500)
    for _attempt in range(ATTEMPTS_MAX - 1):
        deliver()
    for _click in range(3):
        webhooks.resend(by=cast.by("owner"), delivery=sent)
    assert delivery.deliver_due(seconds=LONG) == 0
    assert last(sent).state == State.WAITING
    deliver()
    assert last(sent).state == State.FAILED


def test_what_is_being_sent_is_not_sent_beside_it(cast: Cast, receiver: Receiver) -> None:
    sent = push(hook(cast, receiver))
    assert len(delivery._take(timezone.now(), [])) == 1
    assert webhooks.resend(by=cast.by("owner"), delivery=sent).pk == sent.pk
    assert not delivery.any_due()


def test_what_fails_while_its_webhook_is_switched_off_waits_with_the_rest(
    cast: Cast, receiver: Receiver
) -> None:
    row = hook(cast, receiver)
    sent = push(row)
    [taken] = delivery._take(timezone.now(), [])
    webhooks.set_enabled(by=cast.by("owner"), webhook=row, enabled=False)
    delivery._keep(taken, Outcome(500, "The receiver answered 500.", "", "", 1), timezone.now())
    assert (last(sent).state, last(sent).due_at) == (State.WAITING, None)
    webhooks.set_enabled(by=cast.by("owner"), webhook=row, enabled=True)
    assert deliver() == 1


def fail_for_good(receiver: Receiver, sent: WebhookDelivery) -> None:
    receiver.otherwise = Answer(500)
    for _attempt in range(ATTEMPTS_MAX):
        deliver()
    assert last(sent).state == State.FAILED


def test_a_receiver_that_took_nothing_for_hours_is_switched_off_and_people_are_told(
    cast: Cast, receiver: Receiver
) -> None:
    row = hook(cast, receiver, name="Deploy")
    sent = push(row)
    fail_for_good(receiver, sent)
    assert len(receiver.posted) == ATTEMPTS_MAX
    off = Webhook.objects.get()
    assert (off.enabled, bool(off.disabled_at)) == (False, True)
    assert "The last of 6 attempts: The receiver answered 500." in off.disabled_reason
    assert {each for message in mail.outbox for each in message.to} == {cast.owner.email, cast.manager.email}
    assert mail.outbox[0].subject == f"A webhook of {cast.account.name} was switched off"
    assert "The receiver answered 500." in mail.outbox[0].body
    assert AuditEvent.objects.latest("id").action == "webhook.disabled"


def test_what_waits_while_it_is_off_is_sent_when_it_is_on_again(cast: Cast, receiver: Receiver) -> None:
    row, by = hook(cast, receiver), cast.by("owner")
    first, second = push(row), push(row, "2")
    receiver.otherwise = Answer(410)
    deliver()
    assert not Webhook.objects.get().enabled
    assert {last(each).state for each in (first, second)} <= {State.FAILED, State.WAITING}
    third = push(row, "3")  # by who had loaded the webhook before
    assert deliver() == 0
    receiver.otherwise = Answer(200)
    webhooks.set_enabled(by=by, webhook=row, enabled=True)
    assert deliver() >= 1
    assert last(third).state == State.DELIVERED


def test_a_message_that_is_refused_while_others_arrive_switches_nothing_off(
    cast: Cast, receiver: Receiver
) -> None:
    """As Argo CD's image updater answers 400 to what is no push."""
    row = hook(cast, receiver)
    refused = push(row, event_type="tag.deleted", created_at=timezone.now() - timedelta(hours=8))
    push(row, "2")
    receiver.otherwise = Answer(200)
    WebhookDelivery.objects.filter(pk=refused.pk).update(due_at=None)
    assert deliver() == 1
    WebhookDelivery.objects.filter(pk=refused.pk).update(due_at=timezone.now())
    fail_for_good(receiver, refused)
    assert Webhook.objects.get().enabled
    assert mail.outbox == []


def test_gone_is_gone(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver)
    receiver.otherwise = Answer(410)
    sent = push(row)
    deliver()
    assert last(sent).state == State.FAILED
    off = Webhook.objects.get()
    assert (off.enabled, off.disabled_reason) == (
        False,
        "The receiver answered 410 Gone: it wants nothing more.",
    )


def test_a_test_is_sent_once_also_by_one_that_is_off(cast: Cast, receiver: Receiver) -> None:
    row, by = hook(cast, receiver), cast.by("owner")
    webhooks.set_enabled(by=by, webhook=row, enabled=False)
    receiver.otherwise = Answer(400, b"what is this")
    sent = webhooks.send_test(by=by, webhook=row)
    assert deliver() == 0
    done = last(sent)
    assert (done.state, done.status, done.answer, done.due_at) == ("failed", 400, "what is this", None)
    body = json.loads(receiver.posted[0].body)
    assert body["type"] == "registry-manager.webhook.test"
    assert body["data"] == {"account": cast.account.handle, "test": True, "actor": cast.owner.email}
    webhooks.set_enabled(by=by, webhook=row, enabled=True)
    receiver.otherwise = Answer(410)
    webhooks.send_test(by=by, webhook=row)
    deliver()
    assert Webhook.objects.get().enabled


@pytest.mark.parametrize(
    ("answer", "status", "problem"),
    [
        (
            Answer(302, headers={"Location": "http://169.254.169.254/"}),
            302,
            "The receiver redirects (302), which is not followed.",
        ),
        (Answer(drop=True), None, "127.0.0.1 broke off before its answer was complete."),
    ],
)  # fmt: skip
def test_what_is_no_success(
    cast: Cast, receiver: Receiver, answer: Answer, status: int | None, problem: str
) -> None:
    sent = push(hook(cast, receiver))
    receiver.otherwise = answer
    deliver()
    done = last(sent)
    assert (done.state, done.status, done.problem) == ("waiting", status, problem)
    assert len(receiver.posted) == 1


def test_of_a_long_or_compressed_answer_the_beginning_is_enough(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver)
    receiver.otherwise = Answer(200, b"x" * 1_000_000)
    long = push(row)
    deliver()
    assert last(long).answer == "x" * 4096
    receiver.otherwise = Answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})
    packed = push(row)
    deliver()
    assert [last(each).state for each in (long, packed)] == [State.DELIVERED, State.DELIVERED]


def test_a_secret_is_hidden_where_it_is_decoded_and_where_the_answer_is_cut(
    cast: Cast, receiver: Receiver
) -> None:
    row = hook(cast, receiver, "/hook?secret=s3cret%2Bquery", authorization="Bearer s3cret-header-long")
    receiver.otherwise = Answer(200, b"s3cret+query".ljust(4070) + b"Bearer s3cret-header-long")
    sent = push(row)
    deliver()
    assert last(sent).answer.split() == ["…", "…"]


def test_nothing_is_sent_where_the_panel_may_not_connect(
    cast: Cast, receiver: Receiver, settings: Settings
) -> None:
    sent = push(hook(cast, receiver))
    settings.WEBHOOK_NETWORKS = ()
    deliver()
    assert (
        last(sent).problem
        == "The address is private (127.0.0.1); an operator can allow it with WEBHOOK_NETWORKS."
    )
    assert receiver.posted == []


def test_a_receiver_that_says_nothing_is_given_up(cast: Cast, receiver: Receiver, settings: Settings) -> None:
    settings.WEBHOOK_ANSWER_SECONDS = 0.3
    sent = push(hook(cast, receiver, "/slow"))
    deliver()
    assert last(sent).problem == "127.0.0.1 gave no complete answer within 0.3 seconds."


@pytest.mark.parametrize("ends", [{"drip": True}, {"cut": True}, {"stall": True}])
def test_whoever_answers_200_is_not_told_again_because_of_a_body_that_has_no_end(
    cast: Cast, receiver: Receiver, settings: Settings, ends: dict[str, bool]
) -> None:
    """Some receivers write into it how their deployment goes on; told again, they would begin another."""
    settings.WEBHOOK_ANSWER_SECONDS = 0.3
    receiver.otherwise = Answer(200, b"deploying for Bearer s3cret-hea", **ends)
    sent = push(hook(cast, receiver, authorization="Bearer s3cret-header"))
    deliver()
    done = last(sent)
    assert (done.state, done.status, done.problem) == (State.DELIVERED, 200, "")
    assert "s3cret" not in done.answer


def test_slow_receivers_keep_nobody_waiting(cast: Cast, receiver: Receiver) -> None:
    """Long lines for slow receivers in one account, which say nothing until another account's message came by."""
    slow = [hook(cast, receiver, f"/slow/{n}") for n in range(8)]
    lines = [push(row, f"{n}") for row in slow for n in range(10)]
    quick = push(hook(cast, receiver, "/quick", account=cast.elsewhere))
    receiver.opened_by = "/quick"
    assert deliver() == len(lines) + 1
    assert last(quick).state == State.DELIVERED
    assert receiver.paths().index("/quick") <= delivery.OF_ACCOUNT
    assert receiver.most_under_way <= delivery.OF_ACCOUNT + 1


def test_one_that_fails_gets_one_place(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver)
    receiver.otherwise = Answer(500)
    Webhook.objects.update(last_problem="The receiver answered 500.")
    for n in range(5):
        push(row, str(n))
    deliver()
    assert (len(receiver.posted), receiver.most_under_way) == (5, 1)


def test_an_attempt_is_written_down_before_it_is_begun(cast: Cast, receiver: Receiver) -> None:
    """Whatever a killed worker had begun comes again, with its id, and not at once."""
    sent = push(hook(cast, receiver))
    taken = delivery._take(timezone.now(), [])
    assert [each.pk for each in taken] == [sent.pk]
    assert delivery._take(timezone.now(), []) == []
    begun = last(sent)
    assert (begun.state, begun.attempts) == ("waiting", 1)
    assert begun.due_at
    assert begun.due_at > timezone.now() + timedelta(seconds=30)
    assert deliver() == 1
    assert last(sent).attempts == 2


@pytest.mark.django_db(transaction=True)
def test_the_task_delivers_in_a_thread_of_its_own(cast: Cast, receiver: Receiver) -> None:
    """And one alone: whoever comes meanwhile goes away again."""
    sent = push(hook(cast, receiver, "/slow"))
    for _time in range(2):
        tasks.webhooks()
    receiver.let_go.set()
    for each in [each for each in threading.enumerate() if each.name == "webhooks"]:
        each.join(LONG)
    assert last(sent).state == State.DELIVERED
    assert len(receiver.posted) == 1
    with leases.hold("webhooks") as lease:
        assert lease
        tasks.webhooks()
        for each in [each for each in threading.enumerate() if each.name == "webhooks"]:
            each.join(LONG)


def test_two_workers_take_each_message_once(cast: Cast, receiver: Receiver) -> None:
    sent = push(hook(cast, receiver))
    stale = WebhookDelivery.objects.get(pk=sent.pk)
    assert delivery._claim(WebhookDelivery.objects.get(pk=sent.pk), timezone.now())
    assert not delivery._claim(stale, timezone.now())


def test_nothing_is_sent_of_accounts_that_are_closed_or_suspended(cast: Cast, receiver: Receiver) -> None:
    push(hook(cast, receiver))
    for column in ("closed_at", "suspended_at"):
        Account.objects.filter(pk=cast.account.pk).update(**{column: timezone.now()})
        assert deliver() == 0
        assert not delivery.any_due()
        Account.objects.filter(pk=cast.account.pk).update(**{column: None})
    assert deliver() == 1


def test_one_deleted_meanwhile_is_no_trouble(cast: Cast, receiver: Receiver) -> None:
    push(hook(cast, receiver))
    taken = delivery._take(timezone.now(), [])
    Webhook.objects.all().delete()
    assert delivery._keep(taken[0], delivery.Outcome(200, "", "", "", 1), timezone.now())


def test_what_nobody_can_decrypt_is_said(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver)
    Webhook.objects.update(secrets="7:gAAAA")
    sent = push(row)
    deliver()
    assert "cannot be decrypted" in last(sent).problem
    assert receiver.posted == []


def test_the_log_is_bounded(cast: Cast, receiver: Receiver, settings: Settings) -> None:
    settings.WEBHOOK_LOG_KEPT = 3
    row, other = hook(cast, receiver), hook(cast, receiver)
    old = timezone.now() - timedelta(hours=2)
    ended = {"state": State.DELIVERED, "due_at": None}
    rows = [push(row, str(n), created_at=old, **ended) for n in range(5)]
    waits = push(row, created_at=old)
    ancient = push(other, created_at=timezone.now() - timedelta(days=31), **ended)
    recent = [push(other, str(n), **ended) for n in range(5)]
    delivery.forget_old(now=timezone.now())
    left = set(WebhookDelivery.objects.values_list("pk", flat=True))
    assert left == {each.pk for each in [*rows[2:], waits, *recent]}
    assert ancient.pk not in left


def test_a_row_that_this_build_cannot_send_holds_nobody_up(cast: Cast, receiver: Receiver) -> None:
    """A later build knows more formats; what cannot be written fails alone."""
    unknown, broken = push(hook(cast, receiver)), push(hook(cast, receiver))
    sound = push(hook(cast, receiver, account=cast.elsewhere))
    Webhook.objects.filter(pk=unknown.webhook_id).update(format="later")
    broken.data["tag"] = "lone \ud800"
    if connection.vendor == "sqlite":  # PostgreSQL keeps no such text
        broken.save()
    deliver()
    assert last(sound).state == State.DELIVERED
    assert (last(unknown).state, last(unknown).problem) == (
        State.WAITING,
        "The panel failed; its log says why.",
    )


def test_an_unknown_event_is_no_trouble_for_others(cast: Cast, receiver: Receiver) -> None:
    row = hook(cast, receiver, format="harbor")
    receiver_of_it = delivery._receiver(row)
    message = Message("msg_1", "image.burned", timezone.now(), "", "", TagFacts("r", "t", "a", "1", "", ""))
    outcome = send(message, receiver_of_it)
    assert (outcome.status, outcome.problem) == (None, "The panel failed; its log says why.")
    assert receiver.posted == []


@pytest.mark.parametrize("event_type", ["tag.deleted", "retention.finished"])
def test_what_a_changed_webhook_no_longer_wants_is_not_sent(
    cast: Cast, receiver: Receiver, event_type: str
) -> None:
    """Portainer redeploys on every request."""
    row = hook(cast, receiver, event_types=["image.pushed", event_type])
    push(row, event_type=event_type)
    webhooks.change(by=cast.by("owner"), webhook=row, format="portainer", event_types=["image.pushed"])
    kept = push(row, "2")
    assert deliver() == 1
    assert receiver.paths() == ["/hook?tag=2"]
    assert list(WebhookDelivery.objects.values_list("pk", flat=True)) == [kept.pk]
