"""What an image says of itself in a line. PURE. Whoever pushes the image writes it."""

from collections.abc import Iterator
from typing import Any

from accounts.common.json_fields import read_mapping
from accounts.names import clean_title

DESCRIPTION_MAX = 200  # characters
KEYS = ("org.opencontainers.image.description", "org.label-schema.description")


def image_description(details: Any) -> str:
    """Return the description in `Manifest.details`, shortened; "" if there is none. Never raises."""
    texts = (clean_title(text) for text in _texts(details) if isinstance(text, str))
    return _shortened(next(filter(None, texts), ""))


def _texts(details: Any) -> Iterator[Any]:
    """Yield where it may stand: annotations, labels of the config, a Helm chart."""
    stored = read_mapping(details)
    for source in (stored.get("annotations"), read_mapping(stored.get("config")).get("labels")):
        yield from (read_mapping(source).get(key) for key in KEYS)
    yield read_mapping(stored.get("chart")).get("description")


def _shortened(text: str) -> str:
    return text if len(text) <= DESCRIPTION_MAX else text[: DESCRIPTION_MAX - 1].rstrip() + "…"
