"""What of the asking for manifests is counted as a pull, and what as a check."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from registry_sync.events.pull_detection import Classification, Kind, ManifestRequest, classify

START = datetime(2026, 1, 1, tzinfo=UTC)
INDEX, CHILD, OTHER = "sha256:index", "sha256:child", "sha256:other"
LISTED = {CHILD: {INDEX}}
PULL, CHECK, PART, WAITS = Kind.PULL, Kind.CHECK, Kind.PART, Kind.WAITS


def asked(what: str, at: float = 0, who: str = "ci 10.0.0.1", **more: bool) -> ManifestRequest:
    """`what`: "HEAD 1.0 sha256:…" or "GET sha256:…"."""
    method, *tag, digest = what.split()
    user, address = who.split()
    moment = START + timedelta(seconds=at)
    key = hash((what, at, who)) % 10**9
    return ManifestRequest(
        key, moment, ("team/app", user, address), method == "HEAD", "".join(tag), digest, **more
    )


def found(
    new: Collection[ManifestRequest], known: Collection[ManifestRequest] = ()
) -> list[tuple[Kind, str]]:
    result: Classification = classify(new, known, LISTED)
    return [(result.kind[each.key], result.tag.get(each.key, "")) for each in new]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["GET 1.0 " + OTHER], [(PULL, "1.0")]),
        (["HEAD 1.0 " + OTHER], [(WAITS, "")]),
        (["HEAD " + OTHER], [(WAITS, "")]),
        (["GET " + OTHER], [(PULL, "")]),
        # docker, containerd
        (["HEAD 1.0 " + OTHER, "GET " + OTHER], [(PART, ""), (PULL, "1.0")]),
        (
            ["HEAD 1.0 " + INDEX, "GET " + INDEX, "GET " + CHILD],
            [(PART, ""), (PULL, "1.0"), (PART, "")],
        ),
        # skopeo, crane
        (["GET 1.0 " + INDEX, "GET " + CHILD], [(PULL, "1.0"), (PART, "")]),
        (["GET 1.0 " + OTHER, "GET " + OTHER], [(PULL, "1.0"), (PART, "")]),
        # pinned by digest
        (["HEAD " + INDEX, "GET " + INDEX, "GET " + CHILD], [(PART, ""), (PULL, ""), (PART, "")]),
        (["GET " + OTHER, "GET " + OTHER], [(PULL, ""), (PULL, "")]),
        # asks twice, fetches twice
        (
            ["HEAD 1.0 " + OTHER, "HEAD 1.0 " + OTHER, "GET " + OTHER, "GET " + OTHER],
            [(PART, ""), (PART, ""), (PULL, "1.0"), (PART, "")],
        ),
        # two tags of one digest: what was asked for last
        (
            ["HEAD 1.0 " + OTHER, "HEAD 2.0 " + OTHER, "GET " + OTHER],
            [(WAITS, ""), (PART, ""), (PULL, "2.0")],
        ),
        (["GET 1.0 " + OTHER, "GET 1.0 " + OTHER], [(PULL, "1.0"), (PULL, "1.0")]),
        (["HEAD 1.0 " + OTHER, "GET 1.0 " + OTHER], [(PART, ""), (PULL, "1.0")]),
        # another digest is another pull
        (["HEAD 1.0 " + INDEX, "GET " + OTHER], [(WAITS, ""), (PULL, "")]),
        (["HEAD 1.0 " + INDEX, "GET " + CHILD], [(WAITS, ""), (PULL, "")]),
    ],
)
def test_what_clients_ask_one_after_the_other(steps: list[str], expected: list[tuple[Kind, str]]) -> None:
    new = [asked(step, at=number) for number, step in enumerate(steps)]
    assert found(new) == expected
    assert dict(zip(map(str, new), expected, strict=True)) == dict(
        zip(map(str, new[::-1]), found(new[::-1]), strict=True)
    )


@pytest.mark.parametrize(
    ("at", "who", "expected"),
    [
        (60, "ci 10.0.0.1", (PULL, "1.0")),
        (60.5, "ci 10.0.0.1", (PULL, "")),
        (5, "other 10.0.0.1", (PULL, "")),
        (5, "ci 10.0.0.2", (PULL, "")),
    ],
)
def test_together_is_within_a_minute_by_one_user_from_one_address(
    at: float, who: str, expected: tuple[Kind, str]
) -> None:
    head, get = asked("HEAD 1.0 " + OTHER), asked("GET " + OTHER, at, who)
    assert found([head, get])[1] == expected
    part = (PART, "") if expected[1] else (PULL, "")
    assert found([asked("GET 1.0 " + INDEX), asked("GET " + CHILD, at, who)])[1] == part


def test_what_waited_its_minute_is_a_check_or_was_followed_meanwhile() -> None:
    head = asked("HEAD 1.0 " + OTHER, waited=True)
    assert found([head]) == [(CHECK, "")]
    assert found([head, asked("GET " + OTHER, 5)]) == [(PART, ""), (PULL, "1.0")]


def test_one_that_waits_from_before_is_followed() -> None:
    head, get = asked("HEAD 1.0 " + OTHER, open=True), asked("GET " + OTHER, 5)
    result = classify([get], [head], {})
    assert (result.kind[get.key], result.tag[get.key], result.followed) == (PULL, "1.0", {head.key})


def test_one_that_was_followed_before_takes_what_comes_again_as_its_own() -> None:
    head, get = asked("HEAD 1.0 " + OTHER), asked("GET " + OTHER, 5)
    assert found([get], [head]) == [(PART, "")]
