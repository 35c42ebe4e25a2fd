"""A property test beside a model registry, which is empty before each example and each test."""

from django.db import connection
from hypothesis.extra.django import TestCase

from tests.parts.model_registry import ModelRegistry


def examples(many: int) -> int:
    """A third on PostgreSQL, where each takes five times as long: the same run has had others on SQLite."""
    return many // 3 if connection.vendor == "postgresql" else many


class PropertyTest(TestCase):
    registry: ModelRegistry

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.registry = ModelRegistry()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.registry.stop()
        super().tearDownClass()

    def setUp(self) -> None:
        super().setUp()
        self.registry.clear()  # of what another test left

    def setup_example(self) -> None:
        super().setup_example()
        self.registry.clear()
