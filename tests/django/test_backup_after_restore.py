"""Nothing that was restored deletes by itself what may have been kept since the backup."""

from datetime import timedelta

import pytest
from django.utils import timezone

from manager.backup.after_restore import make_safe
from namespaces.models import Namespace
from registry_sync.deletion import purge_worker
from registry_sync.models import Purge, Restoration
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def restored(*, moved: bool = False) -> Restoration:
    at = timezone.now() - timedelta(hours=3)
    return make_safe(by="ada@vault", backup_at=at, backup_version="1", moved=moved)


@pytest.fixture
def emptied(cast: Cast) -> Purge:
    """Of a namespace that is empty, and was to be deleted an hour ago."""
    return Purge.objects.create(
        namespace=factories.NamespaceFactory(account=cast.account), state=Purge.State.EMPTIED,
        requested_by=cast.owner.email, requested_by_id=cast.owner.pk,
        finished_at=timezone.now() - timedelta(hours=25), ends_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip


def test_a_namespace_that_was_emptied_stays(emptied: Purge) -> None:
    """Its deletion may have been withdrawn after the backup, and the check that would see it comes later."""
    assert restored().removal_count == 1
    purge_worker.work_due()
    assert Namespace.objects.filter(pk=emptied.namespace_id).exists()
    emptied.refresh_from_db()
    assert (emptied.state, emptied.ends_at) == ("done", None)


def test_after_a_move_it_goes_on(emptied: Purge) -> None:
    assert restored(moved=True).removal_count == 0
    purge_worker.work_due()
    assert not Namespace.objects.filter(pk=emptied.namespace_id).exists()


def test_a_deletion_that_waited_is_counted_once(cast: Cast) -> None:
    image = factories.ImageFactory(namespace=factories.NamespaceFactory(account=cast.account))
    purge = Purge.objects.create(
        namespace=image.namespace, requested_by="ada", requested_by_id=cast.owner.pk,
        cutoffs={str(image.pk): [0, 0]},
    )  # fmt: skip
    row = restored()
    purge_worker.work_due()
    purge.refresh_from_db()
    assert (row.removal_count, purge.state) == (1, "failed")
