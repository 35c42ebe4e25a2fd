"""What people asked to remove, while the registry gives no answer: all of it waits, and a few are tried."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from registry_sync.client import RegistryClient
from registry_sync.deletion.worker import UNANSWERED_ACCOUNTS_MAX, work_due
from registry_sync.models import Removal, RemovalItem
from tests import factories
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db
MANY = 2 * UNANSWERED_ACCOUNTS_MAX


@pytest.fixture
def web() -> Iterator[Scripted]:
    """Where nothing is said to any of as many wishes, each about another image."""
    script = Scripted()
    for _each in range(MANY):
        tag = factories.TagFactory()
        removal = Removal.objects.create(image=tag.image, kind=Removal.Kind.UNTAG, requested_by="somebody")
        RemovalItem.objects.create(removal=removal, tag=tag.name, digest=tag.manifest_id)
        script.says[path(removal)] = answer(drop=True)
    yield script
    script.stop()


def path(removal: Removal) -> str:
    return f"/v2/{removal.image.repository}/manifests/{removal.items.get().tag}"


def work(web: Scripted) -> set[str]:
    """Returns which manifests were asked for."""
    web.asked.clear()
    work_due(RegistryClient(web.url, lambda *_scope: "token"))
    return {path for path in web.asked if "/manifests/" in path}


def test_a_few_are_tried_and_then_the_others(web: Scripted) -> None:
    first = work(web)
    assert len(first) == UNANSWERED_ACCOUNTS_MAX
    assert Removal.objects.filter(state=Removal.State.WAITING).count() == MANY
    assert Removal.objects.filter(attempts=0).count() == MANY - UNANSWERED_ACCOUNTS_MAX
    later = timezone.now() + timedelta(hours=1)  # however slow this machine is
    Removal.objects.filter(attempts=1).update(due_at=later)
    second = work(web)
    assert len(second) == UNANSWERED_ACCOUNTS_MAX
    assert first.isdisjoint(second)


def test_one_that_is_refused_stops_no_other(web: Scripted) -> None:
    for removal in Removal.objects.all():
        web.says[path(removal)] = answer(status=503)
    assert len(work(web)) == MANY
