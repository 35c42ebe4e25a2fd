"""How a receiver's URL is shown: the values of its query may be secrets. PURE."""

import re
from collections.abc import Collection
from urllib.parse import unquote, unquote_plus

HIDDEN = "…"
_SHORTEST = 6


def shown_url(url: str) -> str:
    """Return the URL with the values of its query replaced, as https://example.com/webhook?secret=… is."""
    path, question, query = url.partition("?")
    parts = (_hidden(each) for each in query.split("&"))
    return path + question + "&".join(parts)


def receiver_text(url: str) -> str:
    """Return scheme, host and port: for those who may not see the path, which may be a secret, too."""
    scheme, separator, rest = url.partition("://")
    host = re.split("[/?]", rest, maxsplit=1)[0]
    return scheme + separator + host + (f"/{HIDDEN}" if rest[len(host) :].strip("/") else "")


def audit_label(name: str, url: str) -> str:
    """Return how the audit log, which viewers read, calls a webhook."""
    return name or receiver_text(url)


def query_values(url: str) -> list[str]:
    """Return what `shown_url` hides, as it is written and as a receiver reads it."""
    query = url.partition("?")[2]
    values = [each.partition("=")[2] if "=" in each else each for each in query.split("&") if each]
    return [*dict.fromkeys(text for each in values for text in (each, unquote(each), unquote_plus(each)))]


def without_secrets(text: str, secrets: Collection[str], *, is_cut: bool = False) -> str:
    """Return the text with each secret in it replaced; short ones are words and stay.

    At the end of a text that is cut the beginning of a secret is replaced, too.
    """
    longest_first = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)
    for each in longest_first:
        text = text.replace(each, HIDDEN)
    rest = max((_beginning_at_end(text, each) for each in longest_first), default=0) if is_cut else 0
    return text[:-rest] + HIDDEN if rest else text


def _hidden(part: str) -> str:
    if not part:
        return part
    name, equals, value = part.partition("=")
    if equals:
        return f"{name}={HIDDEN}" if value else part  # never longer than the URL: it has a column's width
    return HIDDEN


def _beginning_at_end(text: str, secret: str) -> int:
    """Return how many characters at the end of the text are the beginning of the secret; 0 for a few."""
    lengths = range(min(len(secret) - 1, len(text)), _SHORTEST - 1, -1)
    return next((length for length in lengths if text.endswith(secret[:length])), 0)
