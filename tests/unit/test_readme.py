"""What a README becomes: Markdown in, HTML out that does nothing in a page but to be read."""

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespaces.manifests.links import safe_url
from namespaces.readme import CELLS_MAX, LINKED_MAX, README_MAX, REL, TAGS, render_readme

PIECES = [
    "[a](", "![b](", ")", "<", ">", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "JaVaScRiPt&colon;alert(1)", "data:text/html,x", "https://example.org/", "//evil.test", "mailto:a@example.org",
    "\\", "`", "```", "*", "**", "~~", "|", "-", ":-:", "\n", "\n\n", "# ", "1. ", "> ", "    ", "&lt;", "&#x6a;", '"',
    "'", "[r]", "[r]: ", "\u202e", "=", "a",
]  # fmt: skip


class Strict(HTMLParser):
    """Collects the tags, and fails on what no README may bring into a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.tags.append(tag)
        if tag not in ("br", "hr"):
            self.open.append(tag)
        for name, value in attrs:
            self.judge(tag, name, str(value))

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("br", "hr"):
            assert self.open.pop() == tag

    def judge(self, tag: str, name: str, value: str) -> None:
        match tag, name:
            case "a", "href":
                assert self.open.count("a") == 1, "a link in a link"
                assert safe_url(value) or value.startswith("mailto:")
                self.links.append(value)
            case "a", "rel":
                assert value == REL
            case "ol", "start":
                assert value.isdigit()
            case (("th" | "td"), "class"):
                assert value in ("text-start", "text-center", "text-end")
            case "div", "class":
                assert value == "table-responsive"
            case (("pre" | "div"), "tabindex"):
                assert value == "0"
            case _:
                raise AssertionError(name)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_whatever_is_written_is_safe(text: str) -> None:
    Strict(render_readme(text))


@given(st.text(max_size=200))
def test_so_is_any_text(text: str) -> None:
    Strict(render_readme(text))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Red\n\n### Use", "<h3>Red</h3>\n<h5>Use</h5>\n"),
        ("##### Deep", "<h6>Deep</h6>\n"),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>\n"),
        ("a  \nb\nc", "<p>a<br />\nb\nc</p>\n"),
        ("3. x", '<ol start="3">\n<li>x</li>\n</ol>\n'),
        ("```sh\na < b\n```", '<pre tabindex="0"><code>a &lt; b\n</code></pre>\n'),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("a\u202eb", "<p>a\\u202eb</p>\n"),
        ("***", "<hr />\n"),
        ("# Red\r\n\r\ntext", "<h3>Red</h3>\n<p>text</p>\n"),
        ("", ""),
    ],
)
def test_what_it_becomes(text: str, html: str) -> None:
    assert render_readme(text) == html


def link(url: str, text: str) -> str:
    return f'<a href="{url}" rel="{REL}">{text}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[x](https://example.org/a?b=1)", link("https://example.org/a?b=1", "x")),
        ("<http://example.org>", link("http://example.org", "http://example.org")),
        ("<a@example.org>", link("mailto:a@example.org", "a@example.org")),
        ("[x](docs/use.md)", "x"),
        ("[x](#use)", "x"),
        ("[x](ftp://example.org/a)", "x"),
        ("[x](//example.org)", "x"),
        ("[x](https://bank.example@evil.test/)", "x"),
        ("[x](mailto:a@example.org?cc=b@example.org)", "x"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
    ],
)
def test_only_what_can_be_followed_safely_is_a_link(text: str, html: str) -> None:
    assert render_readme(text) == f"<p>{html}</p>\n"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("![logo](https://example.org/l.png)", link("https://example.org/l.png", "logo")),
        ("![](https://example.org/l.png)", link("https://example.org/l.png", "https://example.org/l.png")),
        ("![logo](logo.png)", "logo"),
        ("[![build](https://example.org/b.svg)](https://example.org)", link("https://example.org", "build")),
        ("[![build](https://example.org/b.svg)](ci.md)", link("https://example.org/b.svg", "build")),
    ],
)
def test_an_image_is_a_link_and_is_not_loaded(text: str, html: str) -> None:
    assert render_readme(text) == f"<p>{html}</p>\n"


def test_a_table_is_aligned_by_classes() -> None:
    html = render_readme("| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |\n")
    assert '<td class="text-start">1</td>' in html
    assert '<td class="text-center">2</td>' in html
    assert '<td class="text-end">3</td>' in html
    assert "style" not in html


def test_a_table_may_follow_a_paragraph() -> None:
    html = render_readme("text\n| a |\n|---|\n| 1 |\n")
    assert html.startswith('<p>text</p>\n<div class="table-responsive" tabindex="0">\n<table>')


WIDE = "|a" * 50 + "|\n" + "|-" * 50 + "|\n"


def test_a_table_that_blows_up_stays_text() -> None:
    """Short rows are filled up to the head: a few bytes would be megabytes."""
    assert "<table>" in render_readme(WIDE + "|\n" * 10)
    assert "<table>" not in render_readme(WIDE + "|\n" * (CELLS_MAX // 50))


def test_so_do_many_that_would_together() -> None:
    html = render_readme((WIDE + "|\n" * 28 + "\n") * 10)
    assert 1 < html.count("<table>") < 4
    assert html.count("<td>") < CELLS_MAX


def test_what_is_too_long_is_cut() -> None:
    assert render_readme("a" * README_MAX + "b") == f"<p>{'a' * README_MAX}</p>\n"


@pytest.mark.parametrize(
    "url", ["https://example.org/" + "a" * 900, "mailto:" + "a" * (README_MAX // 2) + "@example.org"]
)
@pytest.mark.parametrize("use", ["[a] ", "![a] ", "![][a] "])
def test_a_link_that_is_used_by_thousands_becomes_text(url: str, use: str) -> None:
    html = render_readme(f"[a]: {url}\n\n{use * README_MAX}")
    assert html.count(url) > 1
    assert len(html) < 2 * LINKED_MAX + 10 * README_MAX


@pytest.mark.parametrize(
    "text",
    [
        "a&#x202e;b",
        "# a&rlm;",
        "[a&#8203;](https://example.org)",
        "| a |\n|---|\n| &zwj; |\n",
        "<https://example.org/%E2%80%AEgpj.exe>",
        "<https://example.org/%00>",
    ],
)
def test_what_is_invisible_is_escaped_however_it_is_written(text: str) -> None:
    html = render_readme(text)
    assert "\\u" in html
    assert not [each for each in html if unicodedata.category(each) in ("Cf", "Cc") and each != "\n"]
