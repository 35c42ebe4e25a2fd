"""/a/…/i/IMAGE/-/delete-all/, /a/…/n/NAMESPACE/delete-all/ and deletions/: told, asked for, stopped, put back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict
from accounts.models import AuditEvent
from namespaces.models import Descriptor, Image, Manifest, Namespace, PullStats, RepositoryManifest
from registry_sync.deletion import purge_scope, purge_service, purge_worker, restore
from registry_sync.deletion.impact import is_technical
from registry_sync.deletion.outcomes import IN_SHORT, Outcome
from registry_sync.models import Purge, Removal, RemovalItem, Repository
from tests import factories, statements
from tests.cast import MEMBERS, Cast
from tests.django.namespaces import things
from tests.django.namespaces.ledger.test_breakage import entry, text_of

NAMESPACE = "/a/team-red/n/team/"
HERE = f"{NAMESPACE}i/deep/app/-/delete-all/"
DIFFERENT = [("owner", 302), ("manager", 302), ("viewer", 403), ("stranger", 404)]
LAYER = factories.digest_of("layer")


def make(cast: Cast, name: str, *tags: str, namespace: Namespace | None = None) -> Image:
    namespace = namespace or Namespace.objects.filter(name="team").first()
    namespace = namespace or factories.NamespaceFactory(account=cast.account, name="team")
    image: Image = factories.ImageFactory(namespace=namespace, name=name)
    Repository.objects.create(name=image.repository, image=image)
    for tag in tags:
        put(image, tag)
    return image


def put(image: Image, tag: str, manifest: Manifest | None = None) -> Manifest:
    manifest = manifest or factories.ManifestFactory()
    factories.TagFactory(image=image, name=tag, manifest=manifest)
    RepositoryManifest.objects.get_or_create(image=image, manifest=manifest)
    Descriptor.objects.get_or_create(manifest=manifest, digest=LAYER, kind="layer", size=1000)
    own = f"layer of {manifest.digest}"
    Descriptor.objects.get_or_create(manifest=manifest, digest=factories.digest_of(own), kind="layer", size=7)
    return manifest


@pytest.fixture
def image(cast: Cast) -> Image:
    return make(cast, "deep/app", "1.0", "2.0")


def told(cast: Cast, address: str = HERE) -> str:
    found: str = cast.client("owner").get(address).context["preview"].preview_digest
    return found


def asked(cast: Cast, image: Image | None = None) -> Purge:
    namespace = Namespace.objects.select_related("account").get(name="team")
    name = image.name if image else "team"
    seen = purge_scope.scope_of(purge_scope.images_of(namespace, image)).preview_digest
    return purge_service.request_purge(
        by=cast.by("owner"), namespace=namespace, image=image, preview_digest=seen, confirmation=name
    )


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
@pytest.mark.parametrize("address", [HERE, f"{NAMESPACE}delete-all/"])
def test_who_deletes_all(cast: Cast, image: Image, who: str, status: int, address: str) -> None:
    form = {"preview_digest": told(cast, address), "confirm": "deep/app" if address == HERE else "team"}
    looked = cast.client(who).get(address).status_code
    assert looked == (200 if status == 302 else status)
    assert not Purge.objects.exists()
    assert cast.client(who).post(address, form).status_code == status
    assert Purge.objects.exists() is (status == 302)
    assert AuditEvent.objects.filter(action__endswith=".deletion_asked").exists() is (status == 302)


def test_what_goes_is_told(cast: Cast, image: Image) -> None:
    stem = image.tags.get(name="1.0").manifest_id.replace(":", "-")
    put(image, f"{stem}.sig")
    assert is_technical(f"{stem}.sig")
    make(cast, "sibling", "1.0")
    theirs = factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    make(cast, "secret", "1.0", namespace=theirs)
    factories.RegistryUserFactory(account=cast.account, username="abcdefghijkl", description="CI deploy")
    PullStats.objects.create(image=image, tag="2.0", username="abcdefghijkl", count=5, last_at=timezone.now())
    page = cast.client("owner").get(HERE)
    found = page.context["preview"]
    assert (len(found.images), found.tags, found.technical_tags, found.manifests) == (1, 2, 1, 3)
    assert found.space.freed_bytes == 3 * 7  # the layer that the sibling has too stays
    assert found.repositories_sharing_layers == ["team/sibling"]  # and nothing of another account is named
    text = page.content.decode()
    assert "CI deploy" in text
    assert "deep/app:2.0" in text
    assert "theirs/secret" not in text
    whole_namespace = cast.client("owner").get(f"{NAMESPACE}delete-all/").context["preview"]
    assert (
        len(whole_namespace.images),
        whole_namespace.tags,
        whole_namespace.repositories_sharing_layers,
    ) == (2, 3, [])
    assert whole_namespace.space.freed_bytes == 4 * 7 + 1000


def test_what_cannot_be_read_is_named_and_goes_first(cast: Cast, image: Image) -> None:
    odd = put(image, "odd", factories.ManifestFactory(kind="unknown", platforms=[]))
    assert "tagged odd, cannot be read" in cast.client("owner").get(HERE).content.decode()
    asked(cast, image)
    purge_worker.work_due()
    assert Removal.objects.get().items.order_by("id").first().digest == odd.digest
    assert Removal.objects.get().items.count() == 3


@pytest.mark.parametrize(
    "trouble",
    [{"problem": "too long"}, {"tags_needing_approval": 3}, {"missing_since": timezone.now()}],
    ids=min,
)
def test_what_is_not_known_whole_is_said(cast: Cast, image: Image, trouble: dict[str, object]) -> None:
    assert "The last full check could not read all of" not in cast.client("owner").get(HERE).content.decode()
    Repository.objects.update(**trouble)
    assert (
        "The last full check could not read all of team/deep/app"
        in cast.client("owner").get(HERE).content.decode()
    )


@pytest.mark.parametrize("meanwhile", ["a tag", "a move", "a manifest", "a deletion"])
def test_what_is_not_as_it_was_told_is_not_begun(cast: Cast, image: Image, meanwhile: str) -> None:
    form = {"preview_digest": told(cast), "confirm": "deep/app"}
    match meanwhile:
        case "a tag":
            put(image, "3.0")
        case "a move":
            Image.objects.filter(pk=image.pk).update(newest_history_id=77)
        case "a manifest":
            factories.RepositoryManifestFactory(image=image)
        case _:
            RepositoryManifest.objects.filter(image=image).update(gone_at=timezone.now())
    answer = cast.client("owner").post(HERE, form)
    assert answer.status_code == 400
    assert "has changed since you looked" in answer.content.decode()
    assert not Purge.objects.exists()
    form["preview_digest"] = answer.context["preview"].preview_digest
    assert cast.client("owner").post(HERE, form).status_code == 302


@pytest.mark.parametrize("typed", ["", "app", "team/deep/app", "DEEP/APP"])
def test_the_name_is_typed(cast: Cast, image: Image, typed: str) -> None:
    answer = cast.client("owner").post(HERE, {"preview_digest": told(cast), "confirm": typed})
    assert (answer.status_code, Purge.objects.exists()) == (400, False)


def test_a_button_pressed_twice_asks_once(cast: Cast, image: Image) -> None:
    form = {"preview_digest": told(cast), "confirm": "deep/app"}
    first, second = (cast.client("owner").post(HERE, form)["Location"] for _ in range(2))
    assert first == second
    assert Purge.objects.count() == 1


def test_nothing_is_there_to_delete(cast: Cast) -> None:
    make(cast, "deep/app")
    page = cast.client("owner").get(HERE)
    assert "Nothing to delete" in page.content.decode()
    answer = cast.client("owner").post(
        HERE, {"preview_digest": page.context["preview"].preview_digest, "confirm": "deep/app"}
    )
    assert (answer.status_code, Purge.objects.exists()) == (400, False)


@pytest.mark.parametrize(
    "address", [HERE, f"{NAMESPACE}delete-all/", f"{NAMESPACE}i/deep/app/-/delete-preview/?tag=1.0"]
)
def test_of_a_pull_through_cache_nothing_is_offered_and_the_page_says_why(
    cast: Cast, image: Image, settings: Any, address: str
) -> None:
    """The twin: of any other registry it is."""
    for settings.REGISTRY_IS_PULL_THROUGH_CACHE in (True, False):
        page = cast.client("owner").get(address).content.decode()
        assert ("make them in its upstream registry" in page) is settings.REGISTRY_IS_PULL_THROUGH_CACHE
        assert ("btn-danger" in page) is not settings.REGISTRY_IS_PULL_THROUGH_CACHE
        assert ("/-/untag/" in page) is (
            not settings.REGISTRY_IS_PULL_THROUGH_CACHE and "delete-preview" in address
        )


@pytest.mark.parametrize("address", [HERE, f"{NAMESPACE}delete-all/"])
def test_a_form_from_before_the_panel_knew_of_the_cache_is_answered_with_the_reason(
    cast: Cast, image: Image, settings: Any, address: str
) -> None:
    form = {"preview_digest": told(cast, address), "confirm": "deep/app" if address == HERE else "team"}
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    answer = cast.client("owner").post(address, form)
    assert (answer.status_code, Purge.objects.exists()) == (400, False)
    assert "make them in its upstream registry" in answer.content.decode()


def test_from_a_cache_nothing_is_put_back(cast: Cast, image: Image, settings: Any) -> None:
    purge = asked(cast, image)
    removal = Removal.objects.create(
        image=image, kind="delete", state="done", requested_by="owner", purge=purge
    )
    removal.items.create(digest="sha256:1", state="done", outcome="done")
    Purge.objects.update(state="done", planned_at=timezone.now(), finished_at=timezone.now())
    settings.REGISTRY_IS_PULL_THROUGH_CACHE = True
    for put_back in (
        lambda: purge_service.restore(by=cast.by("owner"), purge=purge),
        lambda: restore.restore_removal(by=cast.by("owner"), removal=removal),
    ):
        with pytest.raises(Conflict, match="make them in its upstream registry"):
            put_back()
    assert (Purge.objects.get().state, Removal.objects.count()) == ("done", 1)


def test_each_image_becomes_one_removal_of_what_was_there(cast: Cast, image: Image) -> None:
    make(cast, "other", "1.0")
    purge = asked(cast)
    late = make(cast, "late", "1.0")
    later = things.put(image, things.image_document("later"), tag="later")
    purge_worker.work_due()
    purge_worker.work_due()
    found = {removal.image.name: removal.items.count() for removal in purge.removals.all()}
    assert found == {"deep/app": 2, "other": 1}
    assert not RemovalItem.objects.filter(digest=later.digest).exists()
    assert not late.removals.exists()


@pytest.mark.parametrize("who", MEMBERS)
def test_how_far_it_is_is_shown_to_all_members(cast: Cast, image: Image, who: str) -> None:
    purge = asked(cast, image)
    where = f"{NAMESPACE}deletions/{purge.pk}/"
    page = cast.client(who).get(where).content.decode()
    assert "data-live" in page
    assert (">Stop<" in page) is (who != "viewer")
    purge_worker.work_due()
    items = RemovalItem.objects.filter(removal__purge=purge)
    items.update(state="done", outcome="done")
    Removal.objects.update(state="done", due_at=None, finished_at=timezone.now())
    purge_worker.finish_if_done(purge.pk)
    page = cast.client(who).get(where).content.decode()
    assert "data-live" not in page
    assert "2 of 2 manifests deleted." in page
    assert ("Restore all" in page) is (who != "viewer")
    items.latest("pk").delete()
    assert "1 of 1 manifest deleted." in cast.client(who).get(where).content.decode()
    assert cast.client("stranger").get(where).status_code == 404
    assert cast.client(who).get(f"/a/team-red/n/other/deletions/{purge.pk}/").status_code == 404
    for shown in (f"{NAMESPACE}", f"{NAMESPACE}settings/", f"{NAMESPACE}i/deep/app/"):
        assert where in cast.client(who).get(shown).content.decode()


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
@pytest.mark.parametrize("act", ["stop", "restore"])
def test_who_stops_and_puts_back(cast: Cast, image: Image, who: str, status: int, act: str) -> None:
    purge = asked(cast, image)
    purge_worker.work_due()
    if act == "restore":
        _end(purge)
    before = purge.state
    assert cast.client(who).post(f"{NAMESPACE}deletions/{purge.pk}/{act}/").status_code == status
    stopped = RemovalItem.objects.filter(outcome="cancelled").count()
    purge.refresh_from_db()
    assert (stopped if act == "stop" else purge.state == "restoring") == (
        (2 if act == "stop" else True) if status == 302 else (0 if act == "stop" else before == "restoring")
    )


def _end(purge: Purge) -> None:
    RemovalItem.objects.filter(removal__purge=purge).update(state="done", outcome="done")
    Removal.objects.filter(purge=purge).update(state="done", due_at=None)
    purge_worker.finish_if_done(purge.pk)
    purge.refresh_from_db()


def test_what_was_stopped_says_so(cast: Cast, image: Image) -> None:
    purge = asked(cast, image)
    purge_service.stop(by=cast.by("owner"), purge=purge)  # before it was decided
    purge_worker.work_due()
    purge.refresh_from_db()
    assert (purge.state, purge.removals.count()) == ("failed", 0)
    assert "stopped before all of it was begun" in purge.problem


def test_what_cannot_be_decided_is_given_up(
    cast: Cast, image: Image, caplog: pytest.LogCaptureFixture
) -> None:
    purge = asked(cast, image)
    with statements.failing('FROM "namespaces_descriptor"', ZeroDivisionError()):
        for _attempt in range(purge_worker.ATTEMPTS_MAX + 1):
            purge_worker.work_due()
    purge.refresh_from_db()
    assert (purge.state, "could not be decided in 5 attempts" in purge.problem) == ("failed", True)
    assert "cannot be planned" in caplog.text


def test_of_a_closed_account_nothing_goes_on(cast: Cast, image: Image) -> None:
    purge = asked(cast, image)
    cast.account.closed_at = timezone.now()
    cast.account.save()
    purge_worker.work_due()
    purge.refresh_from_db()
    assert (purge.state, purge.removals.count()) == ("failed", 0)


def test_an_emptied_namespace_that_is_not_empty_waits_no_longer(cast: Cast, image: Image) -> None:
    purge = asked(cast)
    purge_worker.work_due()
    image.tags.all().delete()
    image.repository_manifests.update(gone_at=timezone.now())
    _end(purge)
    assert purge.state == "emptied"
    assert purge.ends_at == purge.finished_at + timedelta(days=1)
    put(image, "3.0")
    again = asked(cast, image)
    purge.refresh_from_db()
    assert (purge.state, purge.ends_at, again.state) == ("done", None, "waiting")


def test_what_a_purge_could_not_do_is_said_in_words() -> None:
    assert {*Outcome} - {Outcome.DONE, Outcome.ALREADY_GONE, Outcome.MANIFEST_LOST} == {*IN_SHORT}


def test_what_is_back_says_so_for_a_while_and_offers_nothing(cast: Cast, image: Image) -> None:
    purge = asked(cast, image)
    purge_worker.work_due()
    _end(purge)
    page = f"{NAMESPACE}deletions/{purge.pk}/"
    offers = '<div class="hstack gap-2 flex-wrap">\n        '
    assert offers in cast.client("owner").get(page).content.decode()
    assert offers not in cast.client("viewer").get(page).content.decode()
    purge_service.restore(by=cast.by("owner"), purge=purge)
    purge_worker.work_due()
    _end(purge)
    text = cast.client("owner").get(page).content.decode()
    assert "Everything was restored." in text
    assert " restored." in text
    assert "manifests deleted" not in text
    assert offers not in text
    for ended, told in ((timedelta(minutes=59), True), (timedelta(minutes=61), False)):
        Purge.objects.update(finished_at=timezone.now() - ended)
        assert (page in cast.client("owner").get(NAMESPACE).content.decode()) is told
    Purge.objects.update(state="done")  # one that can be put back stays a day
    assert page in cast.client("owner").get(NAMESPACE).content.decode()


def test_every_deed_has_its_words(cast: Cast, image: Image) -> None:
    for of in (image, None):
        purge = asked(cast, of)
        purge_worker.work_due()
        _end(purge)
        purge_service.restore(by=cast.by("owner"), purge=purge)
        purge_worker.work_due()
        _end(purge)
        purge = asked(cast, of)
        purge_service.stop(by=cast.by("owner"), purge=purge)
    told = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"image.deleted", "image.put_back", "namespace.emptied", "namespace.deletion_stopped"} < told
    assert told <= set(AuditAction.values)


def test_the_page_about_a_namespace_says_what_would_break(cast: Cast) -> None:
    image = make(cast, "deep/app", "1.0")
    grant = factories.GrantFactory(
        user__account=cast.account, user__description="CI", namespace=image.namespace
    )
    entry(grant.user, image.namespace, image_name="deep/app", confirmed_count=5)
    assert "CI</u></a>: 5 pulls (team/deep/app)" in text_of(
        cast.client("owner").get(f"{NAMESPACE}delete-all/")
    )
    assert "What would break" not in text_of(cast.client("owner").get(HERE))
