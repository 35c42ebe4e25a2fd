"""A pattern writes what reverse() does."""

import pytest
from django.urls import reverse

from accounts.common.url_pattern import url_pattern


@pytest.mark.parametrize(
    ("name", "args", "last"),
    [
        ("user", ["acme"], "u12345678901"),
        ("tag", ["acme", "team", "app/api"], "v1.2.3_x-Y"),
        ("tag", ["acme", "team", "999999999999999999"], "999999999999999999"),
        ("tag", ["acme", "team", "app"], "a b?c#d%e:@&=+é"),
        ("image", ["acme", "team"], "app/api"),
        ("grant-remove", ["acme"], 42),
    ],
)
def test_it_is_the_address_that_reverse_gives(name: str, args: list[str], last: object) -> None:
    assert url_pattern(name, *args)(last) == reverse(name, args=[*args, last])
