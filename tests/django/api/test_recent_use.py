"""GET /…/users/{username}/recent-use/: what the page of the user shows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from namespaces.models import PullStats, TagHistoryEntry
from tests.cast import MEMBERS
from tests.django.api.world import World


def path(world: World) -> str:
    return f"accounts/team-red/users/{world.user.username}/recent-use/"


@pytest.mark.parametrize("who", MEMBERS)
def test_members_are_told_what_it_pulled_and_pushed(world: World, who: str) -> None:
    at, image = timezone.now().replace(microsecond=0), world.tag.image
    PullStats.objects.create(
        image=image, tag="1.0", username=world.user.username, last_at=at, count=3,
        address="192.0.2.9", client="docker/27",
    )  # fmt: skip
    TagHistoryEntry.objects.create(
        image=image, tag="1.1", by=world.user.username, new="sha256:1", at=at - timedelta(1), how="event"
    )
    TagHistoryEntry.objects.create(image=image, tag="0.9", by="another", new="sha256:2", at=at, how="event")
    results = world.caller(who).get(path(world)).json()["results"]
    day = "%Y-%m-%dT%H:%M:%SZ"
    assert results == [
        {"kind": "pulled", "repository": "red/app/api", "tag": "1.0", "digest": "", "last_at": at.strftime(day),
         "pull_count": 3, "client_ip": "192.0.2.9", "client": "docker/27"},
        {"kind": "pushed", "repository": "red/app/api", "tag": "1.1", "digest": "sha256:1",
         "last_at": (at - timedelta(1)).strftime(day), "pull_count": 0, "client_ip": "", "client": ""},
    ]  # fmt: skip


def test_it_may_be_nothing(world: World) -> None:
    assert world.caller("owner").get(path(world)).json() == {"results": []}


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 401)])
def test_others_find_nothing(world: World, who: str, status: int) -> None:
    assert world.caller(who).get(path(world)).status_code == status
    elsewhere = path(world).replace("team-red", "elsewhere")
    assert world.caller(who).get(elsewhere).status_code == status
