"""Whose address it is: a client may write any X-Forwarded-For, and only our own proxies add what counts."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.common.client_ip import client_address, client_network, wide_network_of

PEER, CLIENT = "192.0.2.1", "203.0.113.9"
FORGED = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
same_settings = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def address(forwarded: str | None) -> str:
    return client_address(
        {"REMOTE_ADDR": PEER} | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})
    )


@same_settings
@given(FORGED)
def test_without_a_proxy_nothing_but_the_connection_counts(settings: Settings, forged: str) -> None:
    settings.TRUSTED_PROXY_COUNT = 0
    assert address(forged) == PEER


@same_settings
@given(st.lists(FORGED, max_size=5), st.integers(1, 3))
def test_behind_proxies_what_the_client_wrote_before_them_is_ignored(
    settings: Settings, forged: list[str], proxies: int
) -> None:
    """Each proxy adds at the end whom it heard from; the first of ours heard from the client."""
    settings.TRUSTED_PROXY_COUNT = proxies
    added = [CLIENT, *(f"10.0.0.{number}" for number in range(1, proxies))]
    assert address(", ".join([*forged, *added])) == CLIENT


@pytest.mark.parametrize("forwarded", [None, "", " , ,", "203.0.113.9"])
def test_a_header_that_our_proxies_did_not_write_is_not_believed(
    settings: Settings, forwarded: str | None
) -> None:
    settings.TRUSTED_PROXY_COUNT = 2
    assert address(forwarded) == PEER


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::9]:51234", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("2001:DB8:0::9", "2001:db8::9"),
        ("fe80::9%eth0", "fe80::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", PEER),
        ("_hidden", PEER),
        ("203.0.113.999", PEER),
        ("\u0662.1.1.1", PEER),
    ],
)
def test_what_proxies_write_around_an_address_is_taken_off(
    settings: Settings, written: str, read: str
) -> None:
    """What is no address is none: PostgreSQL keeps the addresses of sessions as such, and takes no other."""
    settings.TRUSTED_PROXY_COUNT = 1
    assert address(written) == read
    assert client_address({"REMOTE_ADDR": written}) == ("" if read == PEER else read)


def test_a_place_is_a_whole_network_of_ipv6_and_one_address_of_ipv4(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 0

    def place(peer: str) -> str:
        return client_network({"REMOTE_ADDR": peer})

    assert place("2001:db8:1:2::1") == place("2001:db8:1:2:ffff::1") != place("2001:db8:1:3::1")
    assert place("::ffff:203.0.113.9") == place("203.0.113.9") != place("::ffff:203.0.113.10")
    assert place("") == ""


@same_settings
@given(FORGED)
def test_an_address_fits_where_it_is_kept(settings: Settings, forged: str) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    assert len(address(forged)) <= 45


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("", ""),
    ],
)
def test_a_wide_network_is_what_a_household_keeps(address: str, network: str) -> None:
    assert wide_network_of(address) == network
