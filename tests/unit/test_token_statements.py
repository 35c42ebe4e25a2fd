"""The token door's statements, as each database takes them."""

import re

import pytest

from registry_sync.tokens.statements import (
    ACCESS_BY_NAME,
    CALLER_BY_DIGEST,
    POLICIES,
    PUBLIC,
    statement,
)


@pytest.mark.parametrize("vendor", ["postgresql", "sqlite"])
@pytest.mark.parametrize(
    ("template", "parameters"), [(CALLER_BY_DIGEST, 3), (ACCESS_BY_NAME, 3), (POLICIES, 3), (PUBLIC, 1)]
)
def test_each_parameter_is_used(vendor: str, template: str, parameters: int) -> None:
    text = statement(template, vendor)
    assert {int(number) for number in re.findall(r"[$?](\d)", text)} == set(range(1, parameters + 1))
    assert not re.search(r"\{[a-z_]+\}", text)
