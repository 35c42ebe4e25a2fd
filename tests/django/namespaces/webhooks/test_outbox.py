"""One message for each move of a tag, whoever finds it first; a check invents none, and who has none pays nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from namespaces.models import Image, Namespace, TagHistoryEntry, Webhook, WebhookDelivery
from namespaces.services import webhooks
from namespaces.webhooks import messages
from registry_sync.inventory import late_history
from registry_sync.inventory.tag_timeline import TagChange
from registry_sync.inventory.writer import write_tag_changes
from registry_sync.models import Repository, RetentionRule, RetentionRun
from registry_sync.retention import run_result
from tests import factories, statements
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
How = TagHistoryEntry.How
ALL = ["image.pushed", "image.restored", "tag.deleted", "retention.finished"]
A, B, C = (factories.digest_of(each) for each in "ABC")


@pytest.fixture
def image(cast: Cast) -> Image:
    team = factories.NamespaceFactory(account=cast.account, name="team")
    for digest in (A, B, C):
        factories.ManifestFactory(digest=digest, size=77)
    image: Image = factories.ImageFactory(namespace=team, name="app")
    Repository.objects.create(name="team/app", image=image)
    return image


def hook(cast: Cast, *types: str, **given: Any) -> Webhook:
    given = {"url": "https://hooks.example.com/x", "format": "cloudevents"} | given
    return webhooks.create(
        by=cast.by("owner"), account=cast.account, event_types=list(types or ALL), **given
    ).webhook


def fresh(image: Image) -> Image:
    """As the worker loads it."""
    return Image.objects.select_related("namespace__account").get(pk=image.pk)


def told(*hooks: Webhook) -> list[tuple[str, str, str, str]]:
    rows = WebhookDelivery.objects.order_by("id")
    rows = rows.filter(webhook__in=hooks) if hooks else rows
    return [(row.event_type, row.subject, row.data["previous_digest"], row.data["digest"]) for row in rows]


def pushed(image: Image, digest: str, second: float = 0, by: str = "ci", tag: str = "1") -> None:
    late_history.record_change(fresh(image), TagChange(tag, digest, NOON + timedelta(seconds=second), by))


def found(image: Image, changes: Iterable[tuple[str, str]], how: How = How.FOUND, by: str = "") -> None:
    some = [TagChange(tag, digest, timezone.now(), by) for tag, digest in changes]
    write_tag_changes(fresh(image), some, how=how)


def test_each_move_is_told_with_the_digest_before(cast: Cast, image: Image) -> None:
    hook(cast)
    pushed(image, A)
    pushed(image, B, 1)
    found(image, [("1", "")], how=How.EVENT)
    assert told() == [
        ("image.pushed", "team/app:1", "", A),
        ("image.pushed", "team/app:1", A, B),
        ("tag.deleted", "team/app:1", B, ""),
    ]
    pushed(image, B, 1)  # the registry says so twice
    assert len(told()) == 3


def test_it_is_told_in_the_transaction_of_its_history(cast: Cast, image: Image) -> None:
    hook(cast)
    pushed(image, A)
    assert WebhookDelivery.objects.get().history_id == TagHistoryEntry.objects.get().pk


def test_a_first_check_invents_no_push(cast: Cast, image: Image) -> None:
    hook(cast)
    found(image, [("1", A), ("2", B)])
    assert told() == []
    found(image, [("1", B), ("2", "")])
    assert told() == [("image.pushed", "team/app:1", A, B), ("tag.deleted", "team/app:2", B, "")]


def test_what_a_check_found_first_is_told_once_when_its_event_comes(cast: Cast, image: Image) -> None:
    hook(cast)
    found(image, [("1", A)])
    pushed(image, A)
    assert told() == [("image.pushed", "team/app:1", "", A)]
    found(image, [("1", B)])
    pushed(image, B, 1)
    assert told() == [("image.pushed", "team/app:1", "", A), ("image.pushed", "team/app:1", A, B)]
    assert list(TagHistoryEntry.objects.values_list("by", flat=True)) == ["ci", "ci"]


def test_late_events_are_each_told(cast: Cast, image: Image) -> None:
    """A check was quicker than two of them: the last is what it found, the first fits in before."""
    hook(cast)
    found(image, [("1", C)])
    for second, digest in enumerate((A, B, C)):
        pushed(image, digest, second)
    assert [digest for _type, _subject, _before, digest in told()] == [A, B, C]


def test_signatures_and_what_else_tools_hang_on_an_image_are_not_told(cast: Cast, image: Image) -> None:
    hook(cast)
    pushed(image, B, tag=f"sha256-{A[7:]}.sig")
    assert told() == []


def test_a_webhook_is_told_what_it_asked_for_in_its_scope(cast: Cast, image: Image) -> None:
    team = image.namespace
    other = factories.NamespaceFactory(account=cast.account)
    mine = [hook(cast), hook(cast, namespace=team), hook(cast, namespace=team, image_name="app")]
    others = [
        hook(cast, "tag.deleted"), hook(cast, namespace=other), hook(cast, namespace=team, image_name="app2"),
    ]  # fmt: skip
    off = hook(cast)
    webhooks.set_enabled(by=cast.by("owner"), webhook=off, enabled=False)
    pushed(image, A)
    assert len(told(*mine)) == len(mine)
    assert told(*others, off) == []


def test_another_account_is_told_nothing(cast: Cast, image: Image) -> None:
    elsewhere = factories.ImageFactory(namespace__account=cast.elsewhere)
    Repository.objects.create(name=elsewhere.repository, image=elsewhere)
    hook(cast)
    pushed(elsewhere, A)
    assert told() == []


def message(of: int = 0) -> Any:
    row = WebhookDelivery.objects.select_related("webhook__account").order_by("id")[of]
    return messages.message_of(row)


def test_who_did_it_is_looked_up_when_it_is_sent(cast: Cast, image: Image) -> None:
    """A deletion is seen before its event says by whom. It is sent a little later for that."""
    hook(cast)
    pushed(image, A)
    found(image, [("1", "")], how=How.EVENT)
    now = timezone.now()
    assert [row.due_at > now for row in WebhookDelivery.objects.order_by("id")] == [False, True]
    TagHistoryEntry.objects.filter(new="").update(by="wsbq5k5ysqyt")
    found_message = message(1)
    assert (found_message.event_type, found_message.tag.actor) == ("tag.deleted", "wsbq5k5ysqyt")
    assert message(0).tag.size == 77
    assert message(0).at == NOON
    TagHistoryEntry.objects.all().delete()
    assert message(0).tag.actor == "ci"


def test_a_rollback_here_is_told_as_one_even_where_the_registry_was_quicker(cast: Cast, image: Image) -> None:
    wants_both, pushes, restores = hook(cast), hook(cast, "image.pushed"), hook(cast, "image.restored")
    pushed(image, A)
    pushed(image, B, 1)
    WebhookDelivery.objects.all().delete()
    found(image, [("1", A)], how=How.PANEL, by="ann@example.com")
    assert [each[0] for each in told(wants_both)] == ["image.restored"]
    assert told(pushes) == []
    assert len(told(restores)) == 1
    WebhookDelivery.objects.all().delete()
    found(image, [("1", B)], how=How.EVENT)  # the event of our own push, which names nobody
    assert len(told()) == 3
    TagHistoryEntry.objects.filter(new=B, by="").update(how=How.PANEL, by="ann@example.com")
    sent = [messages.message_of(row) for row in WebhookDelivery.objects.order_by("id")]
    assert [each and each.event_type for each in sent] == ["image.restored", None, "image.restored"]


def test_the_message_names_panel_and_registry(cast: Cast, image: Image, settings: Any) -> None:
    settings.PUBLIC_URL, settings.REGISTRY_HOST = "https://panel.example", "reg.example:5000"
    hook(cast)
    pushed(image, A)
    found_message = message()
    handle = cast.account.handle
    assert found_message.id == f"msg_{WebhookDelivery.objects.get().message_id.hex}"
    assert found_message.source == f"https://panel.example/a/{handle}"
    assert found_message.tag.reference == "reg.example:5000/team/app:1"
    assert found_message.tag.url.startswith(f"https://panel.example/a/{handle}/")
    assert cast.owner.email not in str(found_message)


def test_without_webhooks_a_push_takes_no_statement_more(cast: Cast, image: Image) -> None:
    def asked() -> list[str]:
        loaded = fresh(image)
        with statements.counted() as found:
            write_tag_changes(loaded, [TagChange("1", A, timezone.now(), "ci")], how=How.EVENT)
            write_tag_changes(loaded, [TagChange("1", "", timezone.now(), "ci")], how=How.EVENT)
        return found

    assert not any("webhook" in each for each in asked())
    made = hook(cast, "image.pushed")
    with_one = asked()
    assert sum("webhook" in each for each in with_one) == 3  # which there are, twice; and the message
    webhooks.remove(by=cast.by("owner"), webhook=made)
    assert not any("webhook" in each for each in asked())


def test_images_whose_account_did_not_come_with_them_are_told_of_too(cast: Cast, image: Image) -> None:
    hook(cast)
    write_tag_changes(Image.objects.get(pk=image.pk), [TagChange("1", A, NOON, "ci")], how=How.EVENT)
    assert len(told()) == 1


def test_many_moves_are_written_in_few_statements(cast: Cast, image: Image) -> None:
    hook(cast)
    loaded = fresh(image)
    with statements.counted() as asked:
        write_tag_changes(
            loaded, [TagChange(f"v{n}", A, timezone.now(), "ci") for n in range(100)], how=How.EVENT
        )
    assert sum("namespaces_webhook" in each for each in asked) <= 3  # SQLite takes fewer rows in one
    assert WebhookDelivery.objects.count() == 100


def test_a_retention_run_that_ended_is_told(cast: Cast, image: Image) -> None:
    wants, other = hook(cast), hook(cast, namespace=factories.NamespaceFactory(account=cast.account))
    namespace = Namespace.objects.select_related("account").get(pk=image.namespace_id)
    rule = RetentionRule.objects.create(namespace=namespace, keep_last=1)
    run = RetentionRun.objects.create(rule=rule)
    skipped = RetentionRun.objects.create(rule=rule)
    run_result.store_result(skipped, RetentionRun.State.SKIPPED, "not certain", [])
    gone = [{"image": "team/app", "tag": "1", "digest": A}]
    run_result.store_result(run, RetentionRun.State.DONE, "", gone)
    run_result.store_result(run, RetentionRun.State.DONE, "", gone)  # by another worker
    row = WebhookDelivery.objects.get()
    assert (row.webhook, row.event_type, row.subject) == (wants, "retention.finished", "team/*")
    assert row.data == {
        "namespace": "team", "image": None, "state": "done", "removedTags": 1, "problem": None,
        "requestedBy": "system (retention rule)",
    }  # fmt: skip
    assert message().data["account"] == cast.account.handle
    assert other.deliveries.count() == 0
