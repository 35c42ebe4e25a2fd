import pytest

from tests.cast import Cast
from tests.django.api import world as worlds
from tests.django.api.world import World


@pytest.fixture
def world(cast: Cast) -> World:
    return worlds.make(cast)
