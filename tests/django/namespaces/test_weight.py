"""What a page weighs on the way: what a long list repeats is compressed away."""

import gzip

from tests import factories
from tests.cast import Cast

MOST = 20_000
PACKED = {"Accept-Encoding": "gzip"}


def test_fifty_tags_weigh_no_more_than_a_small_picture(cast: Cast) -> None:
    image = factories.ImageFactory(namespace__account=cast.account)
    for number in range(50):
        factories.TagFactory(image=image, name=f"1.{number}")
    answer = cast.client("viewer").get(image.get_absolute_url(), headers=PACKED)
    assert b"1.49" in gzip.decompress(answer.content)
    assert len(answer.content) < MOST


def test_who_cannot_unpack_gets_the_page_as_it_is(cast: Cast) -> None:
    answer = cast.client("viewer").get("/a/team-red/users/")
    assert not answer.has_header("Content-Encoding")
    assert b"<html" in answer.content
