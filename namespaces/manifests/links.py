"""Links from an image's annotations and labels. PURE. Whoever pushes the image writes them, so none is trusted.

A text becomes a link only if all of it is a plain http or https address; anything else stays text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from accounts.common.lazy_text import lazy as _

LENGTH_MAX = 1000
# No user and password before the host (https://bank.example@evil.test/ reads as the bank), no control character,
# backslash, quote or space, and nothing outside ASCII: what looks like one host must not be another.
_HOST = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
_ADDRESS = re.compile(
    rf"https?://{_HOST}(?::[0-9]{{1,5}})?(?:[/?#][a-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?", re.IGNORECASE
)
_LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{1,40}")

# What a link is called, and under which keys it is looked for, the better first.
KEYS: dict[str, tuple[str, ...]] = {
    _("README"): ("io.artifacthub.package.readme-url",),
    _("Source"): ("org.opencontainers.image.source", "org.label-schema.vcs-url"),
    _("Documentation"): ("org.opencontainers.image.documentation", "org.label-schema.usage"),
    _("Website"): ("org.opencontainers.image.url", "org.label-schema.url"),
    _("Licence"): ("org.opencontainers.image.licenses", "org.label-schema.license"),
    _("Vendor"): ("org.opencontainers.image.vendor", "org.label-schema.vendor"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """`url` is "" for what is only text, as a vendor's name."""

    word: str
    text: str
    url: str


def links(*sources: Mapping[str, str]) -> list[Link]:
    """From annotations and labels; where two say different things the first source is believed."""
    found = []
    for word, keys in KEYS.items():
        text = next((source[key] for key in keys for source in sources if source.get(key)), "")
        if text:
            url = licence_url(text) if word == "Licence" else safe_url(text)
            found.append(Link(word, text, url))
    return found


def safe_url(text: str) -> str:
    """Return the text itself when it can be followed safely, else ""."""
    return text if len(text) <= LENGTH_MAX and _ADDRESS.fullmatch(text) else ""


def licence_url(text: str) -> str:
    """Where the words of one SPDX licence are read; "" for an expression of several."""
    return f"https://spdx.org/licenses/{text}.html" if _LICENCE.fullmatch(text) else safe_url(text)
