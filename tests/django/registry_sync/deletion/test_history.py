"""/a/…/i/IMAGE/-/history/"""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from namespaces.models import Image, RepositoryManifest, TagHistoryEntry
from tests import factories
from tests.cast import MEMBERS, Cast

PAGE = "/a/team-red/n/team/i/deep/app/-/history/"
WHEN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(
        namespace__account=cast.account, namespace__name="team", name="deep/app"
    )
    return made


def move(image: Image, tag: str, old: str = "", new: str = "", by: str = "") -> TagHistoryEntry:
    return TagHistoryEntry.objects.create(image=image, tag=tag, old=old, new=new, at=WHEN, by=by, how="event")


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_every_move_the_last_first(cast: Cast, image: Image, who: str) -> None:
    old, new = factories.digest_of("old"), factories.digest_of("new")
    factories.RegistryUserFactory(account=cast.account, username="abcdefghijkl", description="CI deploy")
    moves = [
        move(image, "1.0", new=old),
        move(image, "1.0", old, new, by="abcdefghijkl"),
        move(image, "2.0", new),
    ]
    page = cast.client(who).get(PAGE)
    assert [row.entry for row in page.context["rows"]] == moves[::-1]
    text = page.content.decode()
    assert "CI deploy" in text
    assert "abcdefghijkl" in text
    assert [row.entry for row in cast.client(who).get(PAGE + "?tag=2.0").context["rows"]] == moves[2:]


def test_a_stranger_finds_nothing_and_nobody_signs_in(cast: Cast, image: Image) -> None:
    assert cast.client("stranger").get(PAGE).status_code == 404
    assert cast.client("anonymous").get(PAGE).status_code == 302
    assert cast.client("owner").get(PAGE.replace("deep/app", "other")).status_code == 404
    assert cast.client("owner").post(PAGE).status_code == 405


def test_the_description_of_anothers_user_is_not_told(cast: Cast, image: Image) -> None:
    factories.RegistryUserFactory(account=cast.elsewhere, username="abcdefghijkl", description="Their secret")
    move(image, "1.0", new=factories.digest_of("new"), by="abcdefghijkl")
    assert "Their secret" not in cast.client("owner").get(PAGE).content.decode()


def test_only_what_the_registry_still_holds_can_be_put_back(cast: Cast, image: Image) -> None:
    held, gone, now = factories.ManifestFactory.create_batch(3)
    factories.TagFactory(image=image, name="1.0", manifest=now)
    for manifest, gone_at in ((held, None), (gone, WHEN), (now, None)):
        RepositoryManifest.objects.create(image=image, manifest=manifest, gone_at=gone_at)
    for digest in (held.digest, gone.digest, now.digest):
        move(image, "1.0", digest, factories.digest_of("else"))
    rows = cast.client("owner").get(PAGE).context["rows"]
    assert [row.restorable_digest for row in rows] == ["", "", held.digest]
    assert {row.current_digest for row in rows} == {now.digest}


def test_what_a_move_changed_can_be_seen_where_both_are_known(cast: Cast, image: Image) -> None:
    known, gone, never = factories.ManifestFactory.create_batch(3)
    for manifest, gone_at in ((known, None), (gone, WHEN)):
        RepositoryManifest.objects.create(image=image, manifest=manifest, gone_at=gone_at)
    move(image, "1.0", new=known.digest)
    move(image, "1.0", known.digest, gone.digest)
    move(image, "1.0", gone.digest, never.digest)
    page = cast.client("viewer").get(PAGE)
    assert [row.comparable for row in page.context["rows"]] == [False, True, False]
    at = PAGE.replace("history", "compare")
    link = f"{at}?left={quote(known.digest)}&amp;right={quote(gone.digest)}"
    assert link in page.content.decode()
    assert cast.client("viewer").get(at, {"left": known.digest, "right": gone.digest}).status_code == 200


def test_200_moves_are_paged(cast: Cast, image: Image) -> None:
    for number in range(120):
        move(image, "1.0", new=factories.digest_of(str(number)))
    client, seen, url = cast.client("viewer"), [], PAGE
    while url:
        page = client.get(url)
        seen += [row.entry.pk for row in page.context["rows"]]
        following = page.context["page"].next_url
        url = PAGE + following if following else ""
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 120
