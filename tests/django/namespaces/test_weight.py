"""What a page weighs on the way: what a long list repeats is compressed away, and nothing is sent that no page uses."""

import gzip
import re
from pathlib import Path

from django.contrib.staticfiles import finders

from tests import factories
from tests.cast import Cast

MOST = 20_000  # bytes of a page
FIRST_MOST = 60_000  # bytes of a page with all that it names, when nothing is in the browser's cache
PACKED = {"Accept-Encoding": "gzip"}
FILE = re.compile(r'(?:href|src)="/static/([^"#]+)')


def test_fifty_tags_weigh_no_more_than_a_small_picture(cast: Cast) -> None:
    assert len(_fifty_tags(cast)) < MOST


def test_the_first_page_comes_at_once(cast: Cast) -> None:
    page = _fifty_tags(cast)
    names = sorted(set(FILE.findall(gzip.decompress(page).decode())))
    assert any(name.endswith(".css") for name in names)
    # As whitenoise compresses them once.
    files = {name: len(gzip.compress(_content(name), 9)) for name in names}
    assert len(page) + sum(files.values()) < FIRST_MOST, files


def test_who_cannot_unpack_gets_the_page_as_it_is(cast: Cast) -> None:
    answer = cast.client("viewer").get("/a/team-red/users/")
    assert not answer.has_header("Content-Encoding")
    assert b"<html" in answer.content


def _fifty_tags(cast: Cast) -> bytes:
    image = factories.ImageFactory(namespace__account=cast.account)
    for number in range(50):
        factories.TagFactory(image=image, name=f"1.{number}")
    answer = cast.client("viewer").get(image.get_absolute_url(), headers=PACKED)
    assert b"1.49" in gzip.decompress(answer.content)
    return answer.content


def _content(name: str) -> bytes:
    path = finders.find(name)
    assert path, name
    return Path(path).read_bytes()
