"""A README, written as Markdown by a member, as HTML that is safe in a page. PURE.

Raw HTML stays text, a link leads to http, https or mailto or is none, and an image is a link: the page loads nothing
from elsewhere. What no rule here expects is left out.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as table_rule
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from namespaces.manifests.bidi_text import escape_invisible
from namespaces.manifests.links import safe_url

README_MAX = 20_000  # characters: the worst that we know of takes a third of a second
# Of all tables. A short row is filled up to its head, so that a table may hold far more cells than it has characters.
CELLS_MAX = 4000
# Of the addresses of all links. One may be named once and used by thousands: 20,000 characters became 25 MB.
LINKED_MAX = 100_000
HEADING_SHIFT = 2  # above it are the page's h1 and the card's h2
HEADING_MAX = 6
REL = "noopener noreferrer nofollow"
TAGS = frozenset(
    "p h3 h4 h5 h6 ul ol li blockquote pre code em strong s a br hr div table thead tbody tr th td".split()
)

_MAILTO = re.compile(r"mailto:[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_ALIGNED = re.compile(r"text-align:(left|center|right)")
_ALIGN_CLASSES = {"left": "text-start", "center": "text-center", "right": "text-end"}


def render_readme(text: str) -> str:
    """Return HTML made of TAGS, with the attributes href, rel, class, start and tabindex alone."""
    text = text.replace("\r\n", "\n")[:README_MAX]  # as a form sends it that is only previewed
    tokens = _MARKDOWN.parse(escape_invisible(text), {})
    return str(_MARKDOWN.renderer.render(_safe(tokens), _MARKDOWN.options, {}))


def _limited_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a table, unless the document would then have more than CELLS_MAX cells."""
    if not table_rule(state, start, end, True):
        return False
    columns = state.src[state.bMarks[start] : state.eMarks[start]].count("|") + 1
    left = CELLS_MAX - int(state.env.get("cells", 0))
    rows = _rows(state, start, end, most=left // columns)
    if rows * columns > left:
        state.env["cells"] = CELLS_MAX  # for good: nothing is counted twice
        return False
    if not silent:
        state.env["cells"] = CELLS_MAX - left + rows * columns
        table_rule(state, start, end, False)
    return True


def _rows(state: StateBlock, start: int, end: int, *, most: int) -> int:
    """Return how many lines the table may have, counted up to most + 1."""
    return next(
        (line - start for line in range(start, end) if state.isEmpty(line) or line - start > most),
        end - start,
    )


class _Links:
    """Says which links of a README may be followed, until all together would have more than LINKED_MAX characters."""

    def __init__(self) -> None:
        self.left = LINKED_MAX

    def allowed(self, url: str) -> str:
        """Return the address if it may be followed, else ""."""
        url = url if _MAILTO.fullmatch(url) else safe_url(url)
        self.left -= len(url)
        return url if self.left >= 0 else ""


def _safe(tokens: Sequence[Token]) -> list[Token]:
    links = _Links()
    for token in tokens:
        if token.type == "inline":
            token.children = [each for each in _safe_inline(token.children or [], links) if _expected(each)]
        else:
            _shift_heading(token)
            _keep_attributes(token)
    return [each for token in tokens if _expected(token) for each in _scrolling(token)]


def _scrolling(token: Token) -> list[Token]:
    """Put a table into a box that scrolls, by keyboard too."""
    match token.type:
        case "table_open":
            return [
                Token("box_open", "div", 1, attrs={"class": "table-responsive", "tabindex": 0}, block=True),
                token,
            ]
        case "table_close":
            return [token, Token("box_close", "div", -1, block=True)]
        case _:
            return [token]


def _code(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Write a block of code, which scrolls, without its language, which would be a class."""
    return f'<pre tabindex="0"><code>{escapeHtml(tokens[index].content)}</code></pre>\n'


def _expected(token: Token) -> bool:
    return token.tag in TAGS or token.type in ("inline", "text", "softbreak")


def _safe_inline(tokens: Sequence[Token], links: _Links) -> Iterator[Token]:
    written: list[bool] = []  # of each link that is open
    for token in tokens:
        if token.type == "image":
            yield from _image(token, links, linked=any(written))
        elif token.type == "link_open":
            url = links.allowed(str(token.attrs["href"]))
            written.append(url != "")
            if url:
                yield _link_to(url)
        elif token.type != "link_close" or written.pop():
            token.attrs = {}
            # Again: entities (&#x202e;) and an address shown as a text (%E2%80%AE) are decoded by now.
            token.content = escape_invisible(token.content)
            yield token


def _image(token: Token, links: _Links, *, linked: bool) -> Iterator[Token]:
    """Write an image as its text, a link to the image where it is not inside of another link."""
    url = links.allowed(str(token.attrs["src"]))
    text = Token("text", "", 0, content=token.content or url)
    if linked or not url:
        yield text
        return
    yield _link_to(url)
    yield text
    yield Token("link_close", "a", -1)


def _link_to(url: str) -> Token:
    return Token("link_open", "a", 1, attrs={"href": url, "rel": REL})


def _shift_heading(token: Token) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1:]) + HEADING_SHIFT, HEADING_MAX)}"


def _keep_attributes(token: Token) -> None:
    """Keep the number that a list starts with, and a cell's alignment as a class: the page allows no styles."""
    start, aligned = token.attrs.get("start"), _ALIGNED.fullmatch(str(token.attrs.get("style", "")))
    token.attrs = {"start": start} if isinstance(start, int) else {}
    if aligned:
        token.attrs = {"class": _ALIGN_CLASSES[aligned[1]]}


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKDOWN.add_render_rule("fence", _code)
_MARKDOWN.add_render_rule("code_block", _code)
_MARKDOWN.block.ruler.at("table", _limited_table, {"alt": ["paragraph", "reference"]})
