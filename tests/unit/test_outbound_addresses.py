"""Where the panel may connect for somebody else."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from accounts.outbound.addresses import Networks, Refused, networks_from, refusal, target

NONE = Networks("ISSUER_NETWORKS")
ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address)


@pytest.mark.parametrize(
    "public",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_public_addresses_are_open(public: str) -> None:
    assert refusal(ip_address(public), NONE) is None


@pytest.mark.parametrize(
    "private",
    [
        "10.0.0.5",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.9",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "::1",
        "::10.0.0.5",
        "::8.8.8.8",
        "::ffff:10.0.0.5",
        "::ffff:127.0.0.1",
        "::ffff:0:10.0.0.5",
        "64:ff9b::a00:5",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:a00:5::1",
        "2002:808:808::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
    ],
)
def test_private_addresses_are_refused_with_the_setting_that_opens_them(private: str) -> None:
    address = ip_address(private)
    reason = f"The address is private ({address}); an operator can allow it with ISSUER_NETWORKS."
    assert refusal(address, NONE) == reason
    assert refusal(address, Networks("ISSUER_NETWORKS", networks_from(["0.0.0.0/0", "::/0"]))) is None


@pytest.mark.parametrize(
    "never",
    [
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "168.63.129.16",
        "169.254.169.254",
        "169.254.170.2",
        "192.0.0.192",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "::",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_metadata_and_what_is_no_single_host_no_operator_opens(never: str) -> None:
    everything = Networks("ISSUER_NETWORKS", networks_from(["0.0.0.0/0", "::/0"]))
    for networks in (NONE, everything):
        assert "The panel never connects to" in (refusal(ip_address(never), networks) or "")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("64:ff9b::a01:203", True),
        ("10.2.0.1", False),
        ("::ffff:10.2.0.1", False),
        ("fd12::1", True),
        ("fd13::1", False),
    ],
)
def test_a_range_opens_what_is_in_it_and_no_more(address: str, allowed: bool) -> None:
    networks = Networks("ISSUER_NETWORKS", networks_from(["10.1.0.0/16", "fd12::/16"]))
    assert (refusal(ip_address(address), networks) is None) is allowed


@given(ADDRESSES)
def test_nothing_is_open_that_python_calls_private(address: IPv4Address | IPv6Address) -> None:
    if refusal(address, NONE) is None:
        meant = getattr(address, "ipv4_mapped", None) or address
        assert not meant.is_private
        assert not meant.is_multicast


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "10.0.0.0/33", "everything", ""])
def test_a_range_that_is_none(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|has host bits set"):
        networks_from([wrong])


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://example.com", "example.com", 443),
        ("https://EXAMPLE.com/a/b?c=d&e=%20", "example.com", 443),
        ("https://example.com:8443/", "example.com", 8443),
        ("http://example.com/", "example.com", 80),
        ("https://example.com?x=@", "example.com", 443),
        ("https://xn--caf-dma.example/", "xn--caf-dma.example", 443),
        ("https://my_service/", "my_service", 443),
        ("https://10.0.0.5:6443/", "10.0.0.5", 6443),
        ("https://[2001:DB8:0::1]:6443/", "2001:db8::1", 6443),
        ("https://1.example.com/", "1.example.com", 443),
    ],
)
def test_where_a_url_leads(url: str, host: str, port: int) -> None:
    found = target(url)
    assert (found.url, found.host, found.port) == (url, host, port)
    assert (str(found.address) == host) == (host[0] in "12" and not host.endswith("com"))


NOT_A_URL = "This is not a URL such as https://example.com/path."
NO_HTTPS = "The URL must begin with https://."
ASCII = "The URL must be ASCII: write the host as xn--… and anything else percent-encoded."
NO_USER = "The URL must not contain a username or a password."


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", NO_HTTPS),
        ("ftp://example.com/", NO_HTTPS),
        ("HTTPS://example.com/", NO_HTTPS),
        (" https://example.com/", NO_HTTPS),
        ("https://", NOT_A_URL),
        ("https:///path", NOT_A_URL),
        ("https://example.com:0/", NOT_A_URL),
        ("https://example.com:65536/", NOT_A_URL),
        ("https://example.com:/", NOT_A_URL),
        ("https://example.com:80:443/", NOT_A_URL),
        ("https://example.com:+443/", NOT_A_URL),
        ("https://example.com/a b", NOT_A_URL),
        ("https://example.com/\n", NOT_A_URL),
        ("https://exam\tple.com/", NOT_A_URL),
        ("https://example.com\\@10.0.0.5/", NOT_A_URL),
        ("https://[::1]example.com/", NOT_A_URL),
        ("https://[10.0.0.5]/", NOT_A_URL),
        ("https://[fe80::1%25eth0]/", NOT_A_URL),
        ("https://%31%30.0.0.5/", NOT_A_URL),
        ("https://me@example.com/", NO_USER),
        ("https://me:word@example.com/", NO_USER),
        ("https://example.com/#here", "The URL must not have a fragment (#…)."),
        ("https://caf\u00e9.example/", ASCII),
        ("https://example.com/" + "a" * 2048, "The URL is longer than 2,048 characters."),
    ],
)  # fmt: skip
def test_a_url_that_readers_take_for_different_things_is_refused(url: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        target(url)
    assert refused.value.text == reason


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "10.0.0.256",
        "10.0.0.5.",
        "example.com.",
        "example..com",
        ".example.com",
        "-example.com",
        "example-.com",
        "[:::1]",
        "a" * 64 + ".com",
        ".".join(["abcdefgh"] * 29),
    ],
)
def test_a_host_that_is_neither_a_name_nor_an_address(host: str) -> None:
    with pytest.raises(Refused, match="is neither a name nor an address"):
        target(f"https://{host}/")


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("a1.:[]@/?%\\-x", max_size=20))
@example("A0")
def test_what_is_read_is_what_the_client_reads(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/"):
        try:
            found = target(url)
        except Refused:
            continue
        read = URL(url, encoded=True)
        assert (read.scheme, read.port, read.user, read.password) == (found.scheme, found.port, None, None)
        host = str(read.host).lower()  # yarl keeps the case of one that ends with a digit
        assert ip_address(host) == found.address if found.address else host == found.host
