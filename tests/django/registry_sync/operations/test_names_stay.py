"""Names stay with who had them: what the registry holds under one is nobody else's, whoever asks and whenever."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.common.errors import Conflict
from accounts.services import accounts
from namespaces.models import (
    CatalogRead,
    Namespace,
    PullStats,
    RepositoryManifest,
    ReservedName,
    Tag,
    TagHistoryEntry,
)
from namespaces.services import namespaces
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event, Repository, SyncRun
from registry_sync.reconcile.run import reconcile
from registry_sync.tasks import housekeeping
from tests import factories
from tests.cast import Cast
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry
from tests.parts.scripted import Scripted, answer

pytestmark = pytest.mark.django_db
KIND = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry() -> Iterator[ModelRegistry]:
    made = ModelRegistry()
    yield made
    made.stop()


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    yield script
    script.stop()


def hold(registry: ModelRegistry, repository: str, tag: str = "1.0", content: str = "theirs") -> str:
    blob = Blob(KIND, json.dumps({"content": content}).encode())
    registry.hold(repository, KIND, blob.digest, blob.content)
    if tag:
        registry.push(repository, tag, KIND, blob.digest, blob.content)
    return blob.digest


def sync(registry: ModelRegistry) -> SyncRun:
    run = reconcile(RegistryClient(registry.url, lambda *_scope: "token"))
    assert run
    return run


def tell(registry: ModelRegistry, *events: Any) -> None:
    views.store_events(json.dumps({"events": events}).encode(), timezone.now())
    for _round in range(5):
        process_due(RegistryClient(registry.url, lambda *_scope: "token"))
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())


def event(id: str, action: str, at: Any, **target: str) -> dict[str, Any]:  # noqa: A002
    return {
        "id": id,
        "action": action,
        "timestamp": at.isoformat(),
        "actor": {"name": "oldpusher"},
        "request": {"addr": "203.0.113.9:1234"},
        "target": {"mediaType": KIND, "repository": "team/app", **target},
    }


def create(cast: Cast, who: str, name: str = "team") -> Namespace:
    account = cast.elsewhere if who == "stranger" else cast.account
    return namespaces.create(by=cast.by(who), account=account, name=name)


def delete(cast: Cast, namespace: Namespace) -> None:
    namespaces.delete(by=cast.by("owner"), namespace=namespace, confirmation=namespace.name)
    ReservedName.objects.update(until=timezone.now() - timedelta(days=3))  # no token is good any more


def test_a_name_without_an_image_stays_its_accounts_too_and_for_good(cast: Cast) -> None:
    delete(cast, create(cast, "owner"))
    housekeeping()
    with pytest.raises(Conflict, match="taken"):
        create(cast, "stranger")
    assert create(cast, "owner").account == cast.account


def test_its_account_may_have_it_again_at_once(cast: Cast) -> None:
    namespaces.delete(by=cast.by("owner"), namespace=create(cast, "owner"), confirmation="team")
    assert create(cast, "owner")


@pytest.mark.parametrize("told", [True, False])
def test_what_comes_late_is_unassigned_and_the_accounts_again_with_the_name(
    cast: Cast, registry: ModelRegistry, told: bool
) -> None:
    delete(cast, create(cast, "owner"))
    digest = hold(registry, "team/app")
    if told:
        tell(registry, event("1", "push", timezone.now(), tag="1.0", digest=digest))
    sync(registry)
    assert Repository.objects.get().image is None
    assert ReservedName.objects.get().account == cast.account  # and not the sync's, as something unassigned
    with pytest.raises(Conflict, match="taken"):
        create(cast, "stranger")
    create(cast, "owner")
    sync(registry)
    assert Tag.objects.get().image.namespace.account == cast.account


def test_a_name_that_the_registry_held_first_is_nobodys(cast: Cast, registry: ModelRegistry) -> None:
    hold(registry, "team/app")
    sync(registry)
    assert ReservedName.objects.get().account is None
    for who in ("owner", "stranger"):
        with pytest.raises(Conflict, match="taken"):
            create(cast, who)
    assert ReservedName.objects.get().account is None


def test_what_an_event_alone_told_of_is_reserved_at_once(cast: Cast, registry: ModelRegistry) -> None:
    digest = hold(registry, "team/app")
    tell(registry, event("1", "push", timezone.now(), tag="1.0", digest=digest))
    with pytest.raises(Conflict, match="taken"):
        create(cast, "owner")


def test_before_the_registry_was_read_no_name_is_given_out(cast: Cast, registry: ModelRegistry) -> None:
    CatalogRead.objects.all().delete()
    hold(registry, "team/app")
    client = cast.client("owner")
    refused = client.post("/a/team-red/namespaces/new/", {"name": "team"})
    assert refused.status_code == 400
    assert "not read the registry’s catalog yet" in refused.context["form"].errors["name"][0]
    assert not ReservedName.objects.exists()
    sync(registry)
    assert client.post("/a/team-red/namespaces/new/", {"name": "team"}).status_code == 400
    assert client.post("/a/team-red/namespaces/new/", {"name": "free"}).status_code == 302


def test_nor_by_what_was_read_of_another_registry(cast: Cast, settings: Any) -> None:
    settings.REGISTRY_URL = "http://another:5000"
    with pytest.raises(Conflict, match="not read the registry’s catalog yet"):
        create(cast, "owner")


def test_a_catalog_that_breaks_off_is_no_reading(cast: Cast, web: Scripted) -> None:
    CatalogRead.objects.all().delete()
    page = answer({"repositories": ["team/app"]}, Link='</v2/_catalog?last=team/app&n=1>; rel="next"')
    web.says["/v2/_catalog"] = lambda _headers: page if len(web.asked) == 1 else answer(status=500)
    run = reconcile(RegistryClient(web.url, lambda *_scope: "token"))
    assert run
    assert (run.state, len(web.asked)) == ("failed", 2)
    with pytest.raises(Conflict, match="not read the registry’s catalog yet"):
        create(cast, "owner")


def test_while_a_run_is_held_what_is_new_is_reserved_all_the_same(
    cast: Cast, registry: ModelRegistry
) -> None:
    for number in range(6):
        Repository.objects.create(name=f"old/app{number}")
    hold(registry, "team/app")
    assert sync(registry).state == "needs_approval"
    with pytest.raises(Conflict, match="taken"):
        create(cast, "owner")


def test_events_from_before_a_namespace_tell_nothing_of_it(cast: Cast, registry: ModelRegistry) -> None:
    """An operator has cleared the name, and the registry holds nothing of the old account's there any more."""
    old = factories.ManifestFactory(digest=hold(registry, "gone/app"))  # stored, of another image
    namespace = create(cast, "stranger")
    ours = hold(registry, "team/app", content="ours")
    sync(registry)
    before = namespace.created_at - timedelta(minutes=5)
    tell(
        registry,
        event("1", "push", before, digest=old.digest),
        event("2", "push", before, digest=old.digest, tag="old"),
        event("3", "push", before, digest=old.digest, tag="1.0"),
        event("4", "pull", before, digest=old.digest, tag="1.0"),
    )
    assert dict(Tag.objects.values_list("name", "manifest_id")) == {"1.0": ours}
    assert list(RepositoryManifest.objects.values_list("manifest_id", flat=True)) == [ours]
    assert not PullStats.objects.exists()
    assert not TagHistoryEntry.objects.filter(by="oldpusher").exists()
    tell(registry, event("5", "pull", timezone.now(), digest=ours, tag="1.0"))
    assert PullStats.objects.get().address == "203.0.113.9"


def test_what_the_registry_holds_is_shown_though_the_event_is_from_before(
    cast: Cast, registry: ModelRegistry
) -> None:
    """As when its clock is behind ours."""
    namespace = create(cast, "owner")
    untagged, tagged = hold(registry, "team/app", "", "one"), hold(registry, "team/app", "2", "two")
    before = namespace.created_at - timedelta(seconds=5)
    tell(
        registry,
        event("1", "push", before, digest=untagged),
        event("2", "push", before, tag="2", digest=tagged),
    )
    assert dict(Tag.objects.values_list("name", "manifest_id")) == {"2": tagged}
    assert set(RepositoryManifest.objects.values_list("manifest_id", flat=True)) == {untagged, tagged}


def test_the_names_of_a_closed_account_do_not_get_free(cast: Cast) -> None:
    create(cast, "owner", "live")
    delete(cast, create(cast, "owner", "gone"))
    accounts.close(by=cast.by("owner"), account=cast.account, confirmation="team-red")
    for name in ("live", "gone"):
        with pytest.raises(Conflict, match="taken"):
            create(cast, "stranger", name)
