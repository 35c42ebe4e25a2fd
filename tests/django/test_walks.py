"""The walks of docs/architecture.md go where it says."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from manager.celery import app
from tests.parts.model_registry import ModelRegistry
from tests.tools import trace_walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: LazySettings) -> Iterator[trace_walk.World]:
    app.loader.import_default_modules()
    registry = ModelRegistry()
    settings.REGISTRY_URL = registry.url
    yield trace_walk.World(registry)
    registry.stop()


@pytest.mark.parametrize("walk", trace_walk.WALKS)
def test_a_walk_passes_the_files_of_its_main_line_in_that_order(walk: str, world: trace_walk.World) -> None:
    main_line = trace_walk.main_line(walk)
    assert f"| {trace_walk.TITLES[walk].lower()} | {len(main_line)} |" in trace_walk.PAPER.read_text()
    assert trace_walk.follow(trace_walk.WALKS[walk], world).missing(main_line) == []
