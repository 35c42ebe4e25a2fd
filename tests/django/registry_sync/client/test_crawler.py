"""How the crawler treats a registry that is away, slow, or asks for time."""

import gc
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from registry_sync.client import TagCrawler, Timing, crawler
from registry_sync.client.pacing import AHEAD_MAX, ReadPacer, requested_at
from registry_sync.leases import LeaseLost
from tests.parts.scripted import Answer, Scripted, answer


@pytest.fixture
def web() -> Iterator[Scripted]:
    script = Scripted()
    yield script
    script.stop()


def read(web: Scripted, repositories: int) -> list[crawler.RepositoryTags]:
    with web.client().crawler() as asking:
        return asking.read_tags({f"r{number}": {} for number in range(repositories)})


def test_a_registry_that_answers_nothing_is_given_up_for_all(web: Scripted) -> None:
    for number in range(1000):
        web.says[f"/v2/r{number}/tags/list"] = answer(drop=True)
    reads = read(web, 1000)
    assert all(each.problem for each in reads)
    assert len(web.asked) <= 2 * (
        crawler.NO_RESPONSE_MAX + crawler.PARALLEL
    )  # aiohttp asks once more by itself


def test_a_burst_of_resets_gives_nothing_up(web: Scripted) -> None:
    """As when it is restarted: everything under way is lost at once, and answered a moment later."""
    dropped, lock = [crawler.PARALLEL], threading.Lock()

    def moody(_headers: object) -> object:
        with lock:
            dropped[0] -= 1
            return answer(drop=True) if dropped[0] >= 0 else answer({"tags": []})

    for number in range(200):
        web.says[f"/v2/r{number}/tags/list"] = moody  # type: ignore[assignment]
    assert [each.problem for each in read(web, 200)] == [""] * 200


def test_errors_of_one_repository_are_no_silence(web: Scripted) -> None:
    for number in range(100):
        web.says[f"/v2/r{number}/tags/list"] = answer(status=500) if number < 90 else answer({"tags": []})
    reads = read(web, 100)
    assert [bool(each.problem) for each in reads] == [True] * 90 + [False] * 10


@pytest.mark.parametrize(("errors", "unreadable"), [(1, 0), (3, 0), (4, 0), (6, 1)])
def test_a_tag_that_is_being_pushed_is_asked_for_once_more(
    web: Scripted, errors: int, unreadable: int
) -> None:
    """2.8 on a filesystem answers 500 while it writes one, and its disk may be slower than three tries."""
    left = [errors]

    def written(_headers: object) -> Answer:
        left[0] -= 1
        return answer(status=500) if left[0] >= 0 else answer({"schemaVersion": 2})

    web.says["/v2/r0/tags/list"] = answer({"tags": ["old", "new"]})
    web.says |= {"/v2/r0/manifests/old": answer({"schemaVersion": 2}), "/v2/r0/manifests/new": written}  # type: ignore[dict-item]
    (found,) = read(web, 1)
    assert (found.problem, len(found.digests)) == ("", 2 - unreadable)
    assert (len(found.unreadable), found.unreached, len(found.server_errors)) == (unreadable,) * 3


def test_a_repository_that_was_given_up_gets_no_second_look(web: Scripted) -> None:
    web.says["/v2/r0/tags/list"] = answer({"tags": ["broken"]})
    web.says["/v2/r0/manifests/broken"] = answer(status=500)
    with web.client().crawler() as asking:
        (found,) = asking.read_tags({"r0": {}}, no_retry={"r0"})
    assert (found.unreached, web.asked.count("/v2/r0/manifests/broken")) == (1, 1)


def test_what_is_under_way_ends_with_it(web: Scripted) -> None:
    """A worker that lost its lease stops reading; nothing of it goes on, and no connection stays open."""
    web.says["/v2/r0/tags/list"] = answer({"tags": []}, stall=True)

    def lost() -> None:
        if web.asked:
            raise LeaseLost("r0")

    with pytest.raises(LeaseLost), web.client(beat=0.05).crawler() as asking:
        asking.read_tags({"r0": {}}, alive=lost)
    assert not [each for each in threading.enumerate() if each.name == "crawler"]
    del asking
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gc.collect()
    assert not told  # as it would be of a socket that nobody closed


def test_never_reads_far_ahead_of_what_the_registry_tells(web: Scripted) -> None:
    """A push waits in the registry's line behind what is read and not told of yet."""
    told, most = [0.0], [0]
    asked: list[float] = []

    def reading(headers: Any) -> Answer:
        moment = requested_at(headers["User-Agent"])
        assert moment is not None
        asked.append(moment)
        most[0] = max(most[0], sum(each > told[0] for each in list(asked)))
        return answer(f'{{"at": {moment}}}')

    def tells() -> float:
        told[0] = max(asked, default=0.0)
        return told[0]

    known: dict[str, dict[str, str]] = {f"r{number}": {} for number in range(AHEAD_MAX)}
    names = [f"t{number}" for number in range(5)]
    for name in known:
        web.says[f"/v2/{name}/tags/list"] = answer({"tags": names})
        web.says |= {f"/v2/{name}/manifests/{tag}": reading for tag in names}
    timing = Timing(poll=0.01)
    with TagCrawler(web.url, lambda *_scope: "token", pace=ReadPacer(tells), timing=timing) as asking:
        reads = asking.read_tags(known)
    assert sum(len(read.digests) for read in reads) == 5 * AHEAD_MAX
    assert AHEAD_MAX // 2 <= most[0] <= AHEAD_MAX + crawler.PARALLEL
