"""A world for the files that ask it one thing after another, hundreds of times."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from registry_sync import leases
from tests import cast as casts
from tests import factories
from tests.django.api import world as worlds
from tests.django.api.world import World


@pytest.fixture(scope="module")
def _shared_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once. The transaction of each test is inside its own, which ends with the file."""
    around = transaction.atomic()
    with django_db_blocker.unblock():
        around.__enter__()
        factories.restart()
        made = worlds.make(casts.make())
    yield made
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture
def shared_world(_shared_world: World, db: None) -> World:
    """As it was made, whatever the tests before did. A file that uses it takes its cast from it too."""
    factories.restart(at=1000)  # of the test's own rows
    return deepcopy(_shared_world)


@pytest.fixture
def kept_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is killed gives none back."""
    monkeypatch.setattr(leases, "release", lambda *_all: None)
