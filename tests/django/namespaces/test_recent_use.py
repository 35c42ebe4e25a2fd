"""What a user pulled and pushed lately, on its page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import RegistryUser
from namespaces.models import NEVER, Image, PullStats, TagHistoryEntry
from namespaces.recent_use import SHOWN_MAX, UseKind, recent_uses
from tests import factories
from tests.cast import MEMBERS, Cast

NOW = timezone.now()


@pytest.fixture
def user(cast: Cast) -> RegistryUser:
    made: RegistryUser = factories.RegistryUserFactory(account=cast.account, last_used_at=NOW)
    return made


@pytest.fixture
def image(cast: Cast) -> Image:
    made: Image = factories.ImageFactory(namespace__account=cast.account, namespace__name="team", name="api")
    return made


def pulled(image: Image, by: str, tag: str = "1.0", *, minutes: int = 1, count: int = 3) -> PullStats:
    at = NOW - timedelta(minutes=minutes)
    origin = {"address": "192.0.2.9", "client": "docker/27"}
    return PullStats.objects.create(image=image, tag=tag, username=by, last_at=at, count=count, **origin)


def pushed(image: Image, by: str, tag: str = "1.0", *, minutes: int = 1, new: str = "sha256:1") -> None:
    at = NOW - timedelta(minutes=minutes)
    TagHistoryEntry.objects.create(image=image, tag=tag, by=by, new=new, old="sha256:0", at=at, how="event")


def seen(user: RegistryUser) -> list[tuple[UseKind, str, int]]:
    return [(each.kind, each.tag, each.count) for each in recent_uses(user)]


def test_the_latest_comes_first(user: RegistryUser, image: Image) -> None:
    pulled(image, user.username, "1.0", minutes=2)
    pushed(image, user.username, "1.1", minutes=1)
    pushed(image, user.username, "0.9", minutes=3, new="")
    assert seen(user) == [(UseKind.PUSHED, "1.1", 0), (UseKind.PULLED, "1.0", 3), (UseKind.REMOVED, "0.9", 0)]


def test_the_same_tag_again_and_again_is_one_line(user: RegistryUser, image: Image) -> None:
    for minutes in range(5):
        pushed(image, user.username, minutes=minutes)
    assert [each.at for each in recent_uses(user)] == [NOW]


def test_there_are_only_so_many(user: RegistryUser, image: Image) -> None:
    for number in range(SHOWN_MAX + 1):
        pulled(image, user.username, f"p{number}", minutes=number)
        pushed(image, user.username, f"c{number}", minutes=number)
    assert len(recent_uses(user)) == SHOWN_MAX


def test_others_and_mere_checks_are_left_out(cast: Cast, user: RegistryUser, image: Image) -> None:
    pulled(image, "")
    pulled(image, "somebodyelse")
    pushed(image, "somebodyelse")
    PullStats.objects.create(image=image, tag="2", username=user.username, last_at=NEVER, checks=1)
    assert recent_uses(user) == []


def test_images_of_other_accounts_stay_theirs(cast: Cast, user: RegistryUser) -> None:
    theirs = factories.ImageFactory(namespace__account=cast.elsewhere, namespace__public=True)
    pulled(theirs, user.username)
    pushed(theirs, user.username)
    assert recent_uses(user) == []


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_it_with_where_it_came_from(
    cast: Cast, user: RegistryUser, image: Image, who: str
) -> None:
    url = user.get_absolute_url()
    assert "No pull or push recorded." in cast.client(who).get(url).text
    pulled(image, user.username)
    PullStats.objects.create(
        image=image, digest=f"sha256:{'a' * 64}", username=user.username, last_at=NOW, count=1
    )
    text = cast.client(who).get(url).text
    assert 'href="/a/team-red/n/team/i/api/"' in text
    assert "from 192.0.2.9" in text
    assert "with docker/27" in text
    assert "aaaaaaaaaaaa" in text
    assert cast.client("stranger").get(url).status_code == 404


def test_of_a_user_that_was_never_used_nothing_is_said(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    assert "Recently pulled and pushed" not in cast.client("owner").get(user.get_absolute_url()).text
