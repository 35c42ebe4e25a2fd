"""/search/ and /a/{account}/search/: five kinds of rows, only of accounts one is a member of."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection

from namespaces.listing import search
from namespaces.models import Descriptor, Label, RepositoryManifest, Tag
from tests import factories, statements
from tests.cast import MEMBERS, Cast

HERE = "/a/team-red/search/"


@pytest.fixture
def tag(cast: Cast) -> Tag:
    """team-red/…/team/deep/app:1.4.2, with a label; and the same in an account that is not ours."""
    factories.RegistryUserFactory(account=cast.account, description="CI deploy", username="mnopqrstuvwx")
    factories.RegistryUserFactory(
        account=cast.elsewhere, description="CI deploy too", username="zyxwvutsrqpo"
    )
    made = [
        _pushed(factories.NamespaceFactory(account=account, name=name))
        for account, name in ((cast.account, "team"), (cast.elsewhere, "theirs"))
    ]
    return made[0]


def _pushed(namespace: object) -> Tag:
    tag: Tag = factories.TagFactory(image__namespace=namespace, image__name="deep/app", name="1.4.2-Alpine")
    factories.RepositoryManifestFactory(image=tag.image, manifest=tag.manifest)
    Label.objects.create(manifest=tag.manifest, key="org.example.commit", value="C0FFEE-0123")
    return tag


def found(cast: Cast, typed: str, who: str = "viewer", at: str = HERE, **more: str) -> dict[str, list[str]]:
    """{kind: what its rows say}"""
    answer = cast.client(who).get(at, {"q": typed, **more})
    assert answer.status_code == 200
    return {group.kind: [_words(row) for row in group.rows] for group in answer.context["groups"]}


def _words(row: object) -> str:
    return str(getattr(row, "revision", row))


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("app", {"images"}), ("EEP/AP", {"images"}), ("team/deep/app", {"images"}), ("eam/deep/a", {"images"}),
        ("team", {"images"}), ("1.4", {"tags"}), ("alpine", {"tags"}), ("team/deep/app:1.4", {"tags", "images"}),
        (f"docker pull {settings.REGISTRY_HOST}/team/deep/app:1.4.2-Alpine", {"tags", "images"}),
        ("c0ffee", {"labels"}), ("org.example.commit=c0f", {"labels"}), ("ORG.example.commit=C0FFEE-0123", {"labels"}),
        ("deploy", {"users"}), ("NOPQ", {"users"}),
        ("mn", {"users"}), ("de", {"images"}), ("1.", set()),  # short: how it begins, and only of few
        ("offee", set()), ("other=c0ffee", set()), ("nothing-like-it", set()), ("%", set()), ("_", set()),
        ("", set()), ("\x00", set()), ("team/deep/app:9", {"images"}), ("e" * 200, set()),
    ],
)  # fmt: skip
def test_what_is_found_by_what(cast: Cast, tag: Tag, typed: str, kinds: set[str]) -> None:
    rows = found(cast, typed)
    assert set(rows) == kinds
    for kind in ("images", "tags"):
        assert all(row.startswith("team/deep/app") for row in rows.get(kind, []))


def test_a_digest_by_its_beginning(cast: Cast, tag: Tag) -> None:
    hexes = tag.manifest_id.removeprefix("sha256:")
    for typed in (hexes[:6], hexes, f"sha256:{hexes[:4]}", f"team/deep/app@sha256:{hexes}"):
        assert found(cast, typed)["digests"] == [f"team/deep/app@{tag.manifest_id}"], typed
    assert "digests" not in found(cast, hexes[:5])
    assert "digests" not in found(cast, f"team/other@sha256:{hexes}")
    RepositoryManifest.objects.update(gone_at=tag.pushed_at)
    assert found(cast, hexes) == {}


def parts(tag: Tag, **digests: str) -> None:
    for kind, digest in digests.items():
        Descriptor.objects.create(manifest=tag.manifest, digest=f"sha256:{digest}", kind=kind, size=1)


@pytest.mark.parametrize(("kind", "why"), [("configs", "image ID of"), ("layers", "layer of")])
def test_an_image_by_its_id_and_by_a_layer_as_people_paste_them(
    cast: Cast, tag: Tag, kind: str, why: str
) -> None:
    theirs = Tag.objects.exclude(pk=tag.pk).get()
    hexes, others = ("0123456789ab" + "cd" * 26), ("0123456789ab" + "ef" * 26)
    parts(tag, **{kind.removesuffix("s"): hexes})
    parts(theirs, **{kind.removesuffix("s"): others})
    assert found(cast, f"deep/app@sha256:{hexes}")[kind] == [f"team/deep/app@{tag.manifest_id}"]
    for typed in (hexes[:12], hexes, f"sha256:{hexes}", f"sha256:{hexes[:8]}"):
        assert found(cast, typed) == {kind: [f"team/deep/app@{tag.manifest_id}"]}, typed
        assert set(found(cast, typed, "stranger", "/search/")) <= {kind}
    assert found(cast, f"sha256:{others}") == {}  # another account's is not there
    assert found(cast, f"sha256:{others}", "viewer", "/search/") == {}
    assert found(cast, f"other@sha256:{hexes}") == {}
    page = cast.client("viewer").get(HERE, {"q": hexes[:12]}).content.decode()
    assert why in page
    assert f"sha256:{hexes}" in page
    assert tag.get_absolute_url() in page
    RepositoryManifest.objects.update(gone_at=tag.pushed_at)
    assert found(cast, hexes) == {}


@pytest.mark.parametrize(
    "typed",
    [
        "app:1.4", "deep/app:1.4.2", "team/deep/app:1.4", f"{settings.REGISTRY_HOST}/team/deep/app:1.4.2-Alpine",
        "https://registry.example.com/team/deep/app:1.4", "registry.example.com/team/deep/app:1.4",
        "App:1.4", "Deep/App:1.4.2-alpine", "HTTPS://Registry.example.com/Team/deep/app:1.4",
        "docker pull other.example:5000/team/deep/app:1.4", "http://localhost/v2/team/deep/app/manifests/1.4",
    ],
)  # fmt: skip
def test_a_tag_by_what_people_paste(cast: Cast, tag: Tag, typed: str) -> None:
    assert found(cast, typed) == {"images": ["team/deep/app"], "tags": [str(tag)]}


@pytest.mark.parametrize("typed", ["pp:1.4", "other/app:1.4", "theirs/deep/app:1.4", "app:4.2"])
def test_a_tag_of_another_image_is_none(cast: Cast, tag: Tag, typed: str) -> None:
    assert "tags" not in found(cast, typed)


def test_tags_of_tools_come_last(cast: Cast, tag: Tag) -> None:
    stem = tag.manifest_id.replace(":", "-")
    made = factories.TagFactory(image=tag.image, name=f"{stem}.sig")
    factories.TagFactory(image=tag.image, name="signed.sig")
    rows = found(cast, ".sig")
    assert list(rows) == ["tags", "technical"]
    assert rows["technical"] == [str(made)]
    assert list(found(cast, tag.manifest_id)) == ["digests", "technical"]
    assert "technical" not in found(cast, "1.4")


@pytest.mark.parametrize("kind", ["configs", "layers"])
def test_parts_are_looked_up_by_their_index(cast: Cast, tag: Tag, kind: str) -> None:
    typed = "0123456789ab"
    parts(tag, **{kind.removesuffix("s"): typed + "0" * 52})
    rows = search.rows_of(kind, [cast.account], typed)
    assert rows is not None
    # Of a few rows PostgreSQL may as well walk any other index.
    Descriptor.objects.bulk_create(
        Descriptor(manifest=tag.manifest, digest=f"sha256:{number:064x}", kind=kind.removesuffix("s"))
        for number in range(5000)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE namespaces_descriptor")
    plan = rows[:11].explain()
    assert "descriptor_by_digest" in plan, plan
    assert "SCAN namespaces_repositorymanifest" not in plan, plan
    assert "SCAN namespaces_descriptor" not in plan, plan


def test_the_digest_of_a_platform_leads_to_the_tag_of_its_index(cast: Cast, tag: Tag) -> None:
    child, loose = factories.ManifestFactory(), factories.ManifestFactory()
    Descriptor.objects.create(manifest=tag.manifest, digest=child.digest, kind=Descriptor.Kind.MANIFEST)
    for manifest in (child, loose):
        factories.RepositoryManifestFactory(image=tag.image, manifest=manifest)
    page = cast.client("viewer").get(HERE, {"q": child.digest}).content.decode()
    assert tag.get_absolute_url() in page
    assert "one of its platforms" in page
    page = cast.client("viewer").get(HERE, {"q": loose.digest}).content.decode()
    assert tag.get_absolute_url() not in page
    assert "no tag" in page


@pytest.mark.parametrize("who", MEMBERS)
@pytest.mark.parametrize("at", [HERE, "/search/"])
def test_every_member_finds_and_only_in_accounts_of_theirs(cast: Cast, tag: Tag, who: str, at: str) -> None:
    for typed in ("deep/app", "alpine", tag.manifest_id, "c0ffee", "CI deploy"):
        words = [each for rows in found(cast, typed, who, at).values() for each in rows]
        assert len(words) == 1, typed
        assert "theirs" not in words[0]


def test_a_stranger_finds_their_own_and_nobody_is_asked_to_sign_in(cast: Cast, tag: Tag) -> None:
    assert cast.client("stranger").get(HERE, {"q": "alpine"}).status_code == 404
    assert found(cast, "alpine", "stranger", "/search/") == {"tags": ["theirs/deep/app:1.4.2-Alpine"]}
    for at in (HERE, "/search/"):
        assert cast.client("anonymous").get(at, {"q": "alpine"}).status_code == 302


def test_an_operator_who_is_no_member_finds_nothing(cast: Cast, tag: Tag, operator: object) -> None:
    from tests.cast import client_for

    answer = client_for(operator).get("/search/", {"q": "alpine"})  # type: ignore[arg-type]
    assert (answer.status_code, answer.context["groups"]) == (200, [])
    assert client_for(operator).get(HERE, {"q": "alpine"}).status_code == 404  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["images", "tags", "users", "digests", "labels"])
def test_each_kind_is_bounded_and_leads_to_the_rest(cast: Cast, tag: Tag, kind: str) -> None:
    for number in range(70):
        digest = f"sha256:abcdef{number:058}"
        image = factories.ImageFactory(namespace=tag.image.namespace, name=f"abcdef{number}", tag_count=1)
        manifest = factories.ManifestFactory(digest=digest)
        factories.RepositoryManifestFactory(image=image, manifest=manifest)
        Label.objects.create(manifest=manifest, key="k", value=f"ABCDEF{number}")
        Tag.objects.create(image=image, name=f"abcdef{number}", manifest=manifest, pushed_at=tag.pushed_at)
        factories.RegistryUserFactory(account=cast.account, description=f"abcdef{number % 3}")
    groups = {each.kind: each for each in cast.client("viewer").get(HERE, {"q": "abcdef"}).context["groups"]}
    assert set(groups) == {"images", "tags", "digests", "labels", "users"}
    assert len(groups[kind].rows) == 10
    url, seen = groups[kind].more_url, []
    while url:
        (group,) = cast.client("viewer").get(HERE + url).context["groups"]
        seen += [getattr(row, "revision", row).pk for row in group.rows]
        url = group.page.next_url
    assert len(seen) == len(set(seen)) == 70


def test_many_rows_cost_no_more_statements(cast: Cast, tag: Tag) -> None:
    client, counts = cast.client("viewer"), []
    for round_ in range(2):
        for number in range(15):
            image = factories.ImageFactory(
                namespace=tag.image.namespace, name=f"abcdef{round_}{number}", tag_count=1
            )
            manifest = factories.ManifestFactory(digest=f"sha256:abcdef{round_}{number:057}")
            factories.RepositoryManifestFactory(image=image, manifest=manifest)
            Label.objects.create(manifest=manifest, key="k", value="abcdef")
            factories.TagFactory(image=image, name="abcdef", manifest=manifest)
            factories.RegistryUserFactory(account=cast.account, description="abcdef")
        with statements.counted() as asked:
            client.get(HERE, {"q": "abcdef"})
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 19


@pytest.mark.parametrize("kind", ["images", "tags", "labels", "nonsense"])
def test_a_broken_page_is_told_as_such(cast: Cast, tag: Tag, kind: str) -> None:
    answer = cast.client("viewer").get(HERE, {"q": "alpine", "kind": kind, "page": "x"})
    assert answer.status_code == (200 if kind == "nonsense" else 400)


def test_what_pushers_wrote_is_shown_as_text(cast: Cast, tag: Tag) -> None:
    evil = "<script>alert(1)</script>"
    Label.objects.update(key=evil, value=evil)
    for typed in (evil, f"{evil}={evil}"):
        page = cast.client("viewer").get(HERE, {"q": typed}).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_a_tag_that_is_found_says_when_it_was_last_pulled(cast: Cast, tag: Tag) -> None:
    page = cast.client("viewer").get(HERE, {"q": "1.4.2"}).content.decode()
    assert 'data-label="Last pulled">never' in page.replace('<span class="text-secondary">', "")
    Tag.objects.filter(pk=tag.pk).update(pulled_at=datetime(2026, 5, 4, 12, 30, tzinfo=UTC))
    page = cast.client("viewer").get(HERE, {"q": "1.4.2"}).content.decode()
    assert 'datetime="2026-05-04T12:30' in page


def test_no_heading_speaks_of_what_was_not_found(cast: Cast, tag: Tag) -> None:
    client = cast.client("viewer")
    assert "Results for “app”" in client.get(HERE, {"q": "app"}).text
    nothing = client.get(HERE, {"q": "nothing-like-it"}).text
    assert "Results for" not in nothing
    assert "Nothing found for “nothing-like-it”" in nothing
