import pytest

from tests.cast import Cast
from tests.integration.api import world as worlds
from tests.integration.api.world import World


@pytest.fixture
def world(cast: Cast) -> World:
    return worlds.make(cast)
