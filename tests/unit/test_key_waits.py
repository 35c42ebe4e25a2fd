"""Waiting for an issuer's new key: until there was an attempt to fetch it, not for ever, and not at others' cost."""

import asyncio

import pytest

from manager.server.key_waits import EACH, LONGEST, MOST, STEP, KeyWaits

ISSUER = frozenset({7})


class Issuers:
    """What the database says of them, and the time, which passes while somebody sleeps.

    Keys come at the moment `fetched`.
    """

    def __init__(self, fetched: float = 10**9) -> None:
        self.now, self.looks, self.fetched = 0.0, 0, fetched
        self.waits = KeyWaits(self.look, sleep=self.sleep, clock=lambda: self.now)

    def look(self, _issuers: frozenset[int]) -> object:
        self.looks += 1
        return self.now >= self.fetched

    async def sleep(self, seconds: float) -> None:
        target = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, target)

    def together(self, *networks: str) -> list[bool]:
        async def all_of_them() -> list[bool]:
            return await asyncio.gather(*(self.waits.wait(ISSUER, network) for network in networks))

        return asyncio.run(all_of_them())


def test_it_ends_when_keys_come() -> None:
    issuers = Issuers(fetched=1.0)
    assert issuers.together("192.0.2.1") == [True]
    assert 1.0 <= issuers.now <= 1.0 + STEP


def test_it_ends_when_none_come() -> None:
    issuers = Issuers()
    assert issuers.together("192.0.2.1") == [True]
    assert issuers.now == LONGEST


def test_they_look_together() -> None:
    issuers = Issuers()
    issuers.together(*(f"192.0.2.{number}" for number in range(MOST)))
    assert issuers.looks <= LONGEST / STEP + 1


@pytest.mark.parametrize(
    ("networks", "waiting"),
    [
        (["192.0.2.1"] * (EACH + 3) + ["192.0.2.2"], [*[True] * EACH, *[False] * 3, True]),
        ([f"192.0.2.{number}" for number in range(MOST + 2)], [*[True] * MOST, False, False]),
    ],
)
def test_so_many_wait_at_once(networks: list[str], waiting: list[bool]) -> None:
    """Whoever finds no room is answered at once, and there is room again when they are gone."""
    issuers = Issuers()
    assert issuers.together(*networks) == waiting
    assert issuers.together(networks[0]) == [True]


def test_what_breaks_off_makes_room() -> None:
    issuers = Issuers()

    async def broken_off() -> None:
        waiting = [asyncio.create_task(issuers.waits.wait(ISSUER, "192.0.2.1")) for _each in range(EACH)]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(broken_off())
    assert issuers.together(*["192.0.2.1"] * EACH) == [True] * EACH
