"""How the access ledger puts together what it is told."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from namespaces.ledger.entries import Use, ledger_network, merged

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def use(hours: float = 0, **more: Any) -> Use:
    at = NOON + timedelta(hours=hours)
    given = {
        "username": "ci", "secret": 1, "repository": "team/app", "action": "pull", "count": 1, "confirmed_count": 0,
        "first_at": at, "last_at": at, "networks": frozenset({"10.0.0.0/24"}), "address": "10.0.0.5",
        "client": "docker",
    }  # fmt: skip
    return Use(**given | more)  # type: ignore[arg-type]


def test_uses_of_one_key_are_counted_together_and_the_newest_says_from_where() -> None:
    other = use(1, count=2, confirmed_count=1, networks=frozenset({"10.0.1.0/24"}), address="10.0.1.5")
    for order in ([use(), other], [other, use()]):
        (found,) = merged(order)
        assert (found.count, found.confirmed_count, found.address) == (3, 1, "10.0.1.5")
        assert (found.first_at, found.last_at) == (NOON, NOON + timedelta(hours=1))
        assert found.networks == {"10.0.0.0/24", "10.0.1.0/24"}


@pytest.mark.parametrize(
    "other", [{"username": ""}, {"secret": 2}, {"repository": "team/b"}, {"action": "push"}, {"hours": 12}]
)
def test_what_differs_stays_apart_in_order(other: dict[str, Any]) -> None:
    found = merged([use(), use(**other)])
    assert len(found) == 2
    assert found == merged([use(**other), use()])


def test_a_day_is_one_of_utc() -> None:
    assert use(11.9).day == date(2026, 3, 1)
    assert use(12).day == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.5", "10.0.0.0/24"),
        ("2001:db8::1:2", "2001:db8::/64"),
        ("", ""),
        ("registry", ""),
        ("1.2.3.4:5", ""),
    ],
)
def test_an_address_is_kept_as_its_network(address: str, network: str) -> None:
    assert ledger_network(address) == network
