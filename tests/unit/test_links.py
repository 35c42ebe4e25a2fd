"""Links out of annotations: what can be followed safely becomes one, and nothing else."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.manifests.links import KEYS, Link, licence_url, links, safe_url

SOURCE = "org.opencontainers.image.source"
GOOD = [
    "https://example.com",
    "http://example.com/",
    "HTTPS://Example.COM/a/b?c=d&e=%20#f",
    "https://example.com:8443/x",
    "http://localhost:3000/a",
    "https://192.0.2.7/",
    "https://github.com/team/api/tree/v1.0@main",
    "https://example.com?x",
]
BAD = [
    "",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://example.com/",
    "//example.com/a",
    "/relative",
    "\\\\example.com",
    "https:example.com",
    "https:/example.com",
    "https:///example.com",
    "https://",
    "https://?x",
    "https://:80/",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "https://bank.example@evil.test/",
    "https://bank.example%40evil.test/",
    "https://bank.example\\@evil.test/",
    "https://bank.example\\.evil.test/",
    "https://exa\x00mple.com/",
    "https://example.com/\n",
    "\nhttps://example.com/",
    "https://example.com/\r\nSet-Cookie: a=b",
    "https://example.com/ a",
    "https://example.com/\u202egpj.exe",
    "https://ex\u0430mple.com/",
    "https://example\u3002com/",
    "https://example.com/\u00a0",
    'https://example.com/"onclick="alert(1)',
    "https://example.com/<script>",
    "https://example.com:port/",
    "https://-example.com/",
    "https://example..com/",
    "https://[::1]/",
    "https://example.com/`x`",
    "git@github.com:team/api.git",
    "git+https://github.com/team/api",
    "github.com/team/api",
    "https://example.com/" + "a" * 1000,
]


@pytest.mark.parametrize("text", GOOD)
def test_a_plain_web_address_is_kept_to_the_letter(text: str) -> None:
    assert safe_url(text) == text


@pytest.mark.parametrize("text", BAD)
def test_anything_else_stays_text(text: str) -> None:
    assert safe_url(text) == ""
    assert all(link.url == "" for link in links({SOURCE: text}))


@given(
    st.one_of(st.text(), st.text().map("https://".__add__), st.text(alphabet="htps:/\\@.#?%[]ae\t\n \u202e"))
)
def test_whatever_is_kept_leads_where_it_reads(text: str) -> None:
    url = safe_url(text)
    if url:
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert parts.username is None
        assert parts.password is None
        assert url.isascii()
        assert url.isprintable()
        assert not set(url) & set(" \"<>\\`'") - {"'"}


@given(st.dictionaries(st.sampled_from([key for keys in KEYS.values() for key in keys]), st.text()))
def test_every_link_has_a_word_and_a_text(source: dict[str, str]) -> None:
    assert all(link.word and link.text for link in links(source))


def test_the_first_source_and_the_standard_key_are_believed() -> None:
    labels = {SOURCE: "https://b.example/", "org.label-schema.vcs-url": "https://c.example/"}
    assert links({SOURCE: "https://a.example/"}, labels) == [
        Link("Source", "https://a.example/", "https://a.example/")
    ]
    assert links({}, {"org.label-schema.vcs-url": "https://c.example/"})[0].url == "https://c.example/"


def test_a_licence_leads_to_its_words_and_a_vendor_is_a_name() -> None:
    found = links({"org.opencontainers.image.licenses": "MIT", "org.opencontainers.image.vendor": "Team Red"})
    assert found == [
        Link("Licence", "MIT", "https://spdx.org/licenses/MIT.html"),
        Link("Vendor", "Team Red", ""),
    ]
    assert licence_url("MIT OR Apache-2.0") == ""
    assert licence_url("../../evil") == ""
