"""/a/…/i/IMAGE/-/delete-preview/, untag/, delete/, restore/ and removals/: told, asked for, followed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from namespaces.models import Descriptor, Image, Manifest, PullStats, RepositoryManifest, Tag
from registry_sync.deletion import graph
from registry_sync.models import Removal, Repository
from tests import factories
from tests.cast import MEMBERS, Cast
from tests.django.namespaces import things

HERE = "/a/team-red/n/team/i/deep/app/-/"
WHEN = datetime(2026, 3, 1, tzinfo=UTC)
DIFFERENT = [("owner", 302), ("manager", 302), ("viewer", 403), ("stranger", 404)]


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(
        namespace__account=cast.account, namespace__name="team", name="deep/app"
    )
    Repository.objects.create(name="team/deep/app", image=made)
    return made


def tagged(image: Image, name: str, manifest: Manifest | None = None) -> Manifest:
    found: Manifest = factories.TagFactory(
        image=image, name=name, **({"manifest": manifest} if manifest else {})
    ).manifest
    RepositoryManifest.objects.get_or_create(image=image, manifest=found)
    return found


def layers(manifest: Manifest, **sizes: int) -> None:
    for name, size in sizes.items():
        Descriptor.objects.create(
            manifest=manifest, digest=factories.digest_of(name), kind="layer", size=size
        )


def index(image: Image, name: str, *children: Manifest) -> Manifest:
    made: Manifest = factories.ManifestFactory(kind="index", platforms=[])
    for child in children:
        Descriptor.objects.create(manifest=made, digest=child.digest, kind="manifest")
        RepositoryManifest.objects.get_or_create(image=image, manifest=child)
    return tagged(image, name, made)


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("manager", 200), ("viewer", 403), ("stranger", 404), ("anonymous", 302)],
)
@pytest.mark.parametrize("query", ["", "?tag=1.0", "?tag=1.0&tag=gone", "?tag=gone"])
def test_who_sees_what_would_go(cast: Cast, image: Image, who: str, status: int, query: str) -> None:
    tagged(image, "1.0")
    assert cast.client(who).get(f"{HERE}delete-preview/{query}").status_code == status
    assert not Removal.objects.exists()


def test_what_would_go_is_told(cast: Cast, image: Image) -> None:
    shared = tagged(image, "1.0")
    tagged(image, "latest", shared)
    other = tagged(image, "2.0")
    layers(shared, base=1_000_000, own=7_000)
    layers(other, base=1_000_000)
    factories.RegistryUserFactory(account=cast.account, username="abcdefghijkl", description="CI deploy")
    for tag, username, days in (
        ("latest", "abcdefghijkl", 3),
        ("1.0", "", 2),
        ("1.0", "old", 40),
        ("2.0", "x", 1),
    ):
        PullStats.objects.create(
            image=image, tag=tag, username=username, count=5, last_at=timezone.now() - timedelta(days=days)
        )
    page = cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0")
    shown = page.context["preview"]
    assert shown.impact.other_tags == ("latest",)
    assert shown.space.freed_bytes == 7_000
    assert [(each.name, each.tag) for each in shown.pullers] == [("", "1.0"), ("CI deploy", "latest")]
    text = page.content.decode()
    assert "point to the same image and are removed too" in text
    assert "7.0 kB" in text
    assert page.context["left_untagged"] == []


def test_one_and_several_are_spoken_of_as_such(cast: Cast, image: Image) -> None:
    tagged(image, "1.0")
    tagged(image, "2.0")
    untagged = factories.RepositoryManifestFactory(image=image).manifest
    client = cast.client("owner")
    for query in ("tag=1.0", f"digest={untagged.digest}"):
        text = client.get(f"{HERE}delete-preview/?{query}").text
        assert "Delete the image too" in text
        assert "It can be restored, on the next page" in text
    for query in ("tag=1.0&tag=2.0", f"tag=1.0&digest={untagged.digest}"):
        text = client.get(f"{HERE}delete-preview/?{query}").text
        assert "Delete the images too" in text
        assert "They can be restored, on the next page" in text
    assert "Removes only the tag. The image stays" in client.get(f"{HERE}delete-preview/?tag=1.0").text


@pytest.mark.parametrize("more", [0, 1])
def test_that_more_pulled_it_than_are_shown_is_said(cast: Cast, image: Image, more: int) -> None:
    tagged(image, "1.0")
    for number in range(graph.PULLERS_SHOWN + more):
        PullStats.objects.create(
            image=image, tag="1.0", username=f"user{number}", last_at=timezone.now(), count=1
        )
    text = cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0").text
    assert ("Only the latest 50 are shown; others pulled it before." in text) is bool(more)


def test_who_pulled_several_manifests_by_digest_is_one_line(cast: Cast, image: Image) -> None:
    tag = tagged(image, "1.0")
    listed = factories.RepositoryManifestFactory(image=image).manifest
    Descriptor.objects.create(manifest=tag, digest=listed.digest, kind=Descriptor.Kind.MANIFEST)
    factories.RegistryUserFactory(account=cast.account, username="abcdefghijkl", description="CI deploy")
    now = timezone.now()
    for digest, count, days in ((tag.digest, 2, 1), (listed.digest, 3, 4)):
        PullStats.objects.create(
            image=image,
            digest=digest,
            username="abcdefghijkl",
            count=count,
            last_at=now - timedelta(days=days),
        )
    (line,) = cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0").context["preview"].pullers
    assert (line.name, line.tag, line.count, line.last_at) == ("CI deploy", "", 5, now - timedelta(days=1))


@pytest.mark.parametrize(
    ("public", "other", "told"),
    [
        (True, "theirs", "a user of another account"),
        (True, "long-deleted", "a user of another account"),  # whose it was nobody knows
        (False, "theirs", "a user of another account"),  # the namespace was public once
        (False, "long-deleted", "long-deleted"),
    ],
)
@pytest.mark.parametrize("who", ["owner", "manager"])
def test_users_of_other_accounts_are_counted_and_not_named(
    cast: Cast, image: Image, who: str, public: bool, other: str, told: str
) -> None:
    image.namespace.public = public
    image.namespace.save()
    tagged(image, "1.0")
    factories.RegistryUserFactory(account=cast.elsewhere, username="theirs", description="Secret of theirs")
    factories.RegistryUserFactory(account=cast.account, username="ours", description="CI deploy")
    for username, count in ((other, 77), ("ours", 5)):
        PullStats.objects.create(
            image=image, tag="1.0", username=username, count=count, last_at=timezone.now()
        )
    page = cast.client(who).get(f"{HERE}delete-preview/?tag=1.0")
    api = cast.client(who).get(
        "/api/v1/accounts/team-red/namespaces/team/images/deep/app/-/deletion-preview/?tags=1.0"
    )
    text = page.content.decode()
    assert "77" in text
    assert told in text
    assert "CI deploy" in text
    name = other if told == other else ""
    assert {(each["username"], each["pull_count"]) for each in api.json()["recent_pulls"]} == {
        (name, 77),
        ("ours", 5),
    }
    for hidden in {"theirs", "long-deleted", "Secret of theirs"} - {told}:
        assert hidden not in text
        assert hidden not in api.content.decode()


def test_layers_of_another_image_of_the_account_are_not_freed(cast: Cast, image: Image) -> None:
    mine = tagged(image, "1.0")
    layers(mine, base=1_000_000, own=7_000)
    sibling = factories.ImageFactory(namespace=image.namespace, name="other")
    layers(tagged(sibling, "1.0"), base=1_000_000)
    theirs = factories.ImageFactory(namespace__account=cast.elsewhere)
    layers(tagged(theirs, "1.0"), own=7_000)  # what strangers have is not told by a number either
    assert (
        cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0").context["preview"].space.freed_bytes
        == 7_000
    )


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
def test_who_removes_a_tag(cast: Cast, image: Image, who: str, status: int) -> None:
    digest = tagged(image, "1.0").digest
    answer = cast.client(who).post(f"{HERE}untag/", {"tag": "1.0", "expected_digest": digest})
    assert answer.status_code == status
    assert Removal.objects.exists() is (status == 302)
    if status == 302:
        removal = Removal.objects.get()
        assert answer.headers["Location"] == f"{HERE}removals/{removal.pk}/"
        assert (removal.kind, removal.requested_by, removal.state) == (
            "untag",
            f"{who}@example.com",
            "waiting",
        )
        assert list(removal.items.values_list("tag", "digest")) == [("1.0", digest)]


def test_several_at_once_and_twice_is_once(cast: Cast, image: Image) -> None:
    seen = {tag: tagged(image, tag).digest for tag in ("1.0", "2.0", "3.0")}
    client, wish = cast.client("owner"), {"tag": list(seen), "expected_digest": list(seen.values())}
    assert client.post(f"{HERE}untag/", wish).headers == client.post(f"{HERE}untag/", wish).headers
    assert Removal.objects.get().items.count() == 3


@pytest.mark.parametrize("seen", [factories.digest_of("other"), "", None])
def test_what_is_not_what_was_seen_is_refused(cast: Cast, image: Image, seen: str | None) -> None:
    tagged(image, "1.0")
    answer = cast.client("owner").post(
        f"{HERE}untag/", {"tag": "1.0"} | ({"expected_digest": seen} if seen is not None else {})
    )
    assert answer.status_code == 400
    assert not Removal.objects.exists()


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
def test_who_deletes_and_only_what_was_told_with_the_name_typed(
    cast: Cast, image: Image, who: str, status: int
) -> None:
    digest = tagged(image, "1.0")
    tagged(image, "latest", digest)
    told = cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0").context["preview"].preview_digest
    client, wish = cast.client(who), {"tag": "1.0", "preview_digest": told, "confirm": "deep/app"}
    refused = 400 if status == 302 else status
    assert client.post(f"{HERE}delete/", wish | {"confirm": "app"}).status_code == refused
    assert client.post(f"{HERE}delete/", wish | {"preview_digest": "x"}).status_code == refused
    assert not Removal.objects.exists()
    tagged(image, "new", digest)
    assert client.post(f"{HERE}delete/", wish).status_code == refused  # one more tag would go
    image.tags.get(name="new").delete()
    assert client.post(f"{HERE}delete/", wish).status_code == status
    assert Removal.objects.exists() is (status == 302)
    if status == 302:
        assert Removal.objects.get().items.get().confirmed_dependents["tags"] == ["1.0", "latest"]


def test_a_platform_of_a_tagged_index_is_refused_with_words(cast: Cast, image: Image) -> None:
    child = factories.ManifestFactory()
    index(image, "1.0", child)
    tagged(image, "amd64", child)
    page = cast.client("owner").get(f"{HERE}delete-preview/?tag=amd64")
    assert "is one platform of the image tagged 1.0" in page.content.decode()
    assert "Delete from the registry" not in page.content.decode()
    told = page.context["preview"].preview_digest
    answer = cast.client("owner").post(
        f"{HERE}delete/", {"tag": "amd64", "preview_digest": told, "confirm": "deep/app"}
    )
    assert answer.status_code == 400
    assert not Removal.objects.exists()


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
def test_who_puts_back(cast: Cast, image: Image, who: str, status: int) -> None:
    old = tagged(image, "1.0")
    image.tags.all().delete()
    answer = cast.client(who).post(
        f"{HERE}restore/", {"tag": "1.0", "digest": old.digest, "expected_digest": ""}
    )
    assert answer.status_code == status
    assert Removal.objects.filter(kind="restore").exists() is (status == 302)


@pytest.mark.parametrize(
    "wish",
    [
        {"expected_digest": "sha256:x"},
        {"digest": factories.digest_of("theirs")},
        {"tag": "no tag"},
        {"digest": ""},
    ],
)
def test_what_cannot_be_put_back_is_said(cast: Cast, image: Image, wish: dict[str, str]) -> None:
    old = tagged(image, "1.0")
    image.tags.all().delete()
    theirs = factories.ImageFactory(namespace__account=cast.elsewhere)
    tagged(theirs, "1.0", factories.ManifestFactory(digest=factories.digest_of("theirs")))
    asked = {"tag": "1.0", "digest": old.digest, "expected_digest": ""} | wish
    answer = cast.client("owner").post(f"{HERE}restore/", asked, follow=True)
    assert answer.redirect_chain[-1][0] == f"{HERE}history/"
    assert list(answer.context["messages"])
    assert not Removal.objects.exists()


def test_a_removal_is_followed_until_it_is_done_and_undone_with_one_click(cast: Cast, image: Image) -> None:
    digest = tagged(image, "1.0").digest
    client = cast.client("owner")
    where = client.post(f"{HERE}untag/", {"tag": "1.0", "expected_digest": digest}).headers["Location"]
    assert "data-live" in client.get(where).content.decode()
    removal = Removal.objects.get()
    removal.items.update(state="done", outcome="done")
    Removal.objects.update(state="done", due_at=None)
    image.tags.all().delete()
    page = client.get(where).content.decode()
    assert "data-live" not in page
    assert "Restore" in page
    assert "Restore" not in cast.client("viewer").get(where).content.decode()
    fragment = client.get(where, headers={"HX-Request": "true", "HX-Target": "removal"}).content.decode()
    assert "<html" not in fragment


@pytest.mark.parametrize("outcome", ["tag_moved", "in_use", "deletion_disabled", "read_only", "uncertain"])
@pytest.mark.parametrize("who", MEMBERS)
def test_why_it_was_not_done_is_said(cast: Cast, image: Image, who: str, outcome: str) -> None:
    removal = Removal.objects.create(
        image=image, kind="delete", state="failed", due_at=None, requested_by="x@example.com"
    )
    removal.items.create(
        digest=tagged(image, "1.0").digest, state="failed", outcome=outcome, detail="<b>why</b>"
    )
    page = cast.client(who).get(f"{HERE}removals/{removal.pk}/").content.decode()
    assert "not done" in page
    assert "&lt;b&gt;why" in page
    assert cast.client("stranger").get(f"{HERE}removals/{removal.pk}/").status_code == 404
    elsewhere = factories.ImageFactory(namespace=image.namespace, name="other")
    assert (
        cast.client(who).get(f"/a/team-red/n/team/i/{elsewhere.name}/-/removals/{removal.pk}/").status_code
        == 404
    )


@pytest.mark.parametrize(
    ("outcome", "begun", "may"),
    [
        ("no_response", True, True), ("in_use", True, True), ("tag_moved", True, True), ("uncertain", True, True),
        ("no_response", False, False), ("in_use", False, False), ("deletion_disabled", True, False),
        ("done", True, False),
    ],
)  # fmt: skip
def test_what_was_sent_and_not_confirmed_is_not_told_as_nothing(
    cast: Cast, image: Image, outcome: str, begun: bool, may: bool
) -> None:
    removal = Removal.objects.create(
        image=image, kind="delete", state="failed", due_at=None, requested_by="x@example.com"
    )
    removal.items.create(
        digest=tagged(image, "1.0").digest,
        state="failed",
        outcome=outcome,
        started_at=timezone.now() if begun else None,
    )
    page = cast.client("viewer").get(f"{HERE}removals/{removal.pk}/").content.decode()
    api = cast.client("viewer").get(
        f"/api/v1/accounts/team-red/namespaces/team/images/deep/app/-/removals/{removal.pk}/"
    )
    message = api.json()["items"][0]["message"]
    for text in (page, message):
        assert ("the result was never confirmed" in text) is may
        assert not may or "nothing was" not in text


def test_all_of_a_page_can_be_chosen(cast: Cast, image: Image) -> None:
    for name in [f"1.{number}" for number in range(101)] + ["2.0"]:
        tagged(image, name)
    owner = cast.client("owner")
    choose = owner.get(f"{HERE}delete-preview/", {"q": "1."})
    assert "Preview for all 100 on this page" in choose.content.decode()
    shown = [tag.name for tag in choose.context["page"].rows]
    chosen = owner.get(f"{HERE}delete-preview/", {"q": "1.", "page": "", "all": "yes"}).context
    assert sorted(tag.name for tag in chosen["chosen"]) == sorted(shown)
    assert len(chosen["impact"].deletions) == 100
    rest = owner.get(f"{HERE}delete-preview/" + choose.context["page"].next_url + "&all=yes").context[
        "chosen"
    ]
    assert [tag.name for tag in rest] == ["1.0"]
    assert owner.get(f"{HERE}delete-preview/", {"q": "nothing", "all": "yes"}).status_code == 200


def test_200_tags_to_choose_from(cast: Cast, image: Image) -> None:
    manifest = factories.ManifestFactory()
    factories.TagFactory.create_batch(120, image=image, manifest=manifest)
    factories.TagFactory(image=image, name="sha256-" + "a" * 64 + ".sig")
    first = cast.client("owner").get(f"{HERE}delete-preview/")
    assert len(first.context["page"].rows) == 100
    assert (
        len(
            cast.client("owner")
            .get(f"{HERE}delete-preview/" + first.context["page"].next_url)
            .context["page"]
            .rows
        )
        == 20
    )
    many = "&".join(f"tag=t{number}" for number in range(101))
    assert "at most 100" in cast.client("owner").get(f"{HERE}delete-preview/?{many}").content.decode()


def test_a_list_of_referrers_that_a_tool_left_behind_goes_too(cast: Cast, image: Image) -> None:
    """oras writes a new list for each artifact that it attaches, and leaves the old one without a tag."""
    top = things.put(image, things.image_document("a"), tag="1.0")
    bom, scan = (
        things.put(image, things.image_document(each, subject={"digest": top.digest}, config_type="x"))
        for each in ("bom", "scan")
    )
    old = things.put(image, things.index_document((bom, "")))
    new = things.put(image, things.index_document((bom, ""), (scan, "")), tag=top.digest.replace(":", "-"))
    found = cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0").context["impact"]
    assert {each.digest for each in found.deletions} == {
        top.digest,
        bom.digest,
        scan.digest,
        old.digest,
        new.digest,
    }
    assert (found.broken_indexes, found.orphaned_referrers, found.platforms) == ((), (), ())
    things.point(image, "mine", old)
    found = cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0").context["impact"]
    assert {each.digest for each in found.deletions} == {top.digest, scan.digest, new.digest}
    assert set(found.orphaned_referrers) == {old.digest, bom.digest}


def test_attestations_of_buildx_are_told_from_platforms(cast: Cast, image: Image) -> None:
    child, attestation = (things.put(image, things.image_document(each)) for each in "ab")
    document = things.index_document((child, "linux/amd64"))
    hung = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": child.digest}
    document["manifests"].append({"digest": attestation.digest, "annotations": hung})
    things.put(image, document, tag="1.0")
    found = cast.client("owner").get(f"{HERE}delete-preview/?tag=1.0").context["impact"]
    assert (found.platforms, found.referrers) == ((child.digest,), (attestation.digest,))


def test_what_no_registry_takes_back_is_said(cast: Cast, image: Image) -> None:
    tagged(image, "1.0")
    owner = cast.client("owner")
    assert "schema 1" not in owner.get(f"{HERE}delete-preview/?tag=1.0").content.decode()
    Manifest.objects.update(media_type="application/vnd.docker.distribution.manifest.v1+prettyjws")
    assert (
        "One of them is a Docker schema 1 image"
        in owner.get(f"{HERE}delete-preview/?tag=1.0").content.decode()
    )


@pytest.mark.parametrize("way", ["untag", "delete"])
def test_all_that_match_are_removed_across_pages(cast: Cast, image: Image, way: str) -> None:
    for name in [f"1.{number}" for number in range(130)] + ["2.0"]:
        tagged(image, name)
    tagged(image, "sha256-" + "a" * 64 + ".sig")
    owner = cast.client("owner")
    assert "Remove all that match…" in owner.get("/a/team-red/n/team/i/deep/app/?q=1.").content.decode()
    page = owner.get(f"{HERE}delete-preview/", {"q": "1.", "matching": "1"})
    assert "All 130 tags that match “1.”" in page.content.decode()
    form = {"matching": "1", "q": "1.", "tags_digest": page.context["tags_digest"]}
    if way == "delete":
        form |= {"preview_digest": page.context["preview"].preview_digest, "confirm": "deep/app"}
    tagged(image, "1.999")
    late = owner.post(f"{HERE}{way}/", form)
    assert late.status_code == 400
    assert "have changed since you looked" in late.content.decode()
    assert "All 131 tags" in late.content.decode()
    assert not Removal.objects.exists()
    form["tags_digest"] = late.context["tags_digest"]
    if way == "delete":
        form["preview_digest"] = late.context["preview"].preview_digest
    assert owner.post(f"{HERE}{way}/", form).status_code == 302
    assert Removal.objects.get().items.count() == 131


@pytest.mark.parametrize(("who", "status"), DIFFERENT)
def test_who_removes_all_that_match(cast: Cast, image: Image, who: str, status: int) -> None:
    tagged(image, "1.0")
    seen = (
        cast.client("owner")
        .get(f"{HERE}delete-preview/", {"matching": "1", "q": "1."})
        .context["tags_digest"]
    )
    form = {"matching": "1", "q": "1.", "tags_digest": seen}
    assert cast.client(who).post(f"{HERE}untag/", form).status_code == status
    assert Removal.objects.exists() is (status == 302)


def test_more_than_a_thousand_are_not_removed_at_once(cast: Cast, image: Image) -> None:
    manifest = factories.ManifestFactory()
    Tag.objects.bulk_create(
        Tag(image=image, name=f"1.{number}", manifest=manifest, pushed_at=WHEN) for number in range(1001)
    )
    for query in ({"q": "1."}, {}):
        answer = cast.client("owner").get(f"{HERE}delete-preview/", {"matching": "1", **query})
        assert answer.status_code == 400
        assert "More than 1,000 tags match" in answer.content.decode()
    few = cast.client("owner").get(f"{HERE}delete-preview/", {"matching": "1", "q": "1.100"})
    assert len(few.context["chosen"]) == 2
    assert cast.client("owner").get(f"{HERE}delete-preview/", {"matching": "1", "q": "no"}).status_code == 200


def test_what_was_deleted_is_put_back_with_one_click(cast: Cast, image: Image) -> None:
    digest = tagged(image, "1.0").digest
    removal = Removal.objects.create(image=image, kind="delete", state="done", due_at=None, requested_by="x")
    removal.items.create(
        digest=digest, state="done", outcome="done", confirmed_dependents={"tags": ["1.0", "latest"]}
    )
    where = f"{HERE}removals/{removal.pk}/"
    for who, status in [("viewer", 403), ("stranger", 404)]:
        assert cast.client(who).post(f"{where}restore/").status_code == status
    assert where not in cast.client("viewer").get(f"{HERE}history/").content.decode()  # it ended long ago
    Removal.objects.update(finished_at=timezone.now())
    assert where in cast.client("viewer").get(f"{HERE}history/").content.decode()
    assert "Restore all" not in cast.client("viewer").get(where).content.decode()
    assert "Restore all" in cast.client("owner").get(where).content.decode()
    assert cast.client("owner").post(f"{where}restore/").status_code == 302
    asked = Removal.objects.get(kind="restore")
    assert list(asked.items.values_list("tag", "digest")) == [("1.0", digest), ("latest", digest)]
    Removal.objects.filter(kind="restore").update(state="done", due_at=None, finished_at=timezone.now())
    assert where not in cast.client("viewer").get(f"{HERE}history/").content.decode()  # it is back
    nothing = Removal.objects.create(
        image=image, kind="delete", state="failed", due_at=None, requested_by="x"
    )
    answer = cast.client("owner").post(f"{HERE}removals/{nothing.pk}/restore/", follow=True)
    assert "nothing that can be restored" in answer.content.decode()
