"""Since when the registry tells of pulls: what rules that go by pulls stand on."""

from datetime import UTC, datetime, timedelta

import pytest

from namespaces.models import Image, Tag, TagMove
from registry_sync import heartbeat
from registry_sync.models import Event, Heartbeat, Repository
from registry_sync.notifications import pulls
from registry_sync.picture.write import Move, write_moves
from registry_sync.token.service import PANEL_SUBJECT
from tests import factories

pytestmark = pytest.mark.django_db

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def image(db: None) -> None:
    made = factories.ImageFactory(namespace__name="team", name="app")
    Repository.objects.create(name="team/app", image=made)


def pull(hours: float, actor: str = "ci", **more: str) -> Event:
    at = START + timedelta(hours=hours)
    return Event(action="pull", repository="team/app", tag="1.0", actor=actor, received_at=at, **more)


def told() -> tuple[float, float] | None:
    """Hours after the start: since when, and when last."""
    since, last = heartbeat.last(Heartbeat.PULLS_SINCE), heartbeat.last(Heartbeat.PULLS)
    hour = timedelta(hours=1)
    return ((since - START) / hour, (last - START) / hour) if since and last else None


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([[0]], (0, 0)),
        ([[0], [96], [190]], (0, 190)),
        ([[0, 96, 190]], (0, 190)),
        ([[190, 0, 96]], (0, 190)),
        ([[0], [96.5]], (96.5, 96.5)),
        ([[0, 96.5, 100]], (96.5, 100)),
        ([[0], [100], [150]], (100, 150)),
        ([[10], [0]], (10, 10)),  # late: applied after what came later
    ],
)
def test_since_when_is_from_the_last_gap(batches: list[list[float]], expected: tuple[float, float]) -> None:
    for batch in batches:
        pulls.count([pull(hours) for hours in batch])
    assert told() == expected


def test_the_panels_own_blobs_and_unknown_repositories_prove_nothing() -> None:
    stranger = pull(0)
    stranger.repository = "nobody/knows"
    pulls.count([pull(0, PANEL_SUBJECT), pull(0, media_type="application/octet-stream"), stranger])
    assert told() is None
    pulls.count([pull(1, "")])  # anonymous
    assert told() == (1, 1)


def test_a_tag_that_comes_back_was_pulled_before() -> None:
    image, digest = Image.objects.get(), factories.ManifestFactory().digest

    def point(tag: str, at: str, hours: float) -> Tag | None:
        write_moves(image, [Move(tag, at, START + timedelta(hours=hours))], how=TagMove.How.EVENT)
        return Tag.objects.filter(name=tag).first()

    assert point("1.0", digest, 0)
    pulls.count([pull(1), pull(2, actor="other"), pull(3)])
    assert not point("1.0", "", 4)
    back, other = point("1.0", digest, 5), point("2.0", digest, 5)
    assert back
    assert (back.pull_count, back.pulled_at) == (3, START + timedelta(hours=3))
    assert other
    assert (other.pull_count, other.last_pulled_at) == (0, None)
