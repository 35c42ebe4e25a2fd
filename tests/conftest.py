"""Settings for speed, one seed, and what every test may ask for: the cast, and the real parts."""

import gc
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import post_migrate
from django.test import TransactionTestCase
from django.utils import timezone

from accounts.models import IdTokenIssuer
from namespaces.models import CatalogRead
from tests import factories, workers
from tests.parts.processes import PATIENCE

pytest_plugins = ["tests.cast", "tests.parts.fixtures"]

AUDIT_TABLES = ("accounts_auditevent", "accounts_auditseal")  # the only tables with triggers
DATABASE = {"db", "transactional_db", "live_server"}  # fixtures
# Of one test with its parameters, on PostgreSQL: SQLite has them all, and most walk pages and routes. The seed says
# which.
MOST = 8

# How long an example takes is the machine's business.
hypothesis.settings.register_profile(
    "tests", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")


@pytest.hookimpl(trylast=True)  # when pytest-randomly has chosen
def pytest_configure(config: pytest.Config) -> None:
    """Examples of hypothesis come from the seed that the order and the rows come from."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None and config.option.hypothesis_seed is None:
        hypothesis.core.global_force_seed = seed
    _quick_settings()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return workers.ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seed = config.getoption("randomly_seed", "none")
    terminalreporter.write_line(f"The same order and examples again: --randomly-seed={seed}")


def pytest_collection_finish() -> None:
    """What is here now stays, and most of what a test makes goes by itself: the collector has little to look for."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    other_database = "TEST_DATABASE_URL" in os.environ
    kept, same = [], []
    for item in items:
        if other_database and not _asks_a_database(item):
            same.append(item)  # as on SQLite
            continue
        kept.append(item)
    if other_database:
        kept, more = workers.some_of_each(kept, MOST, seed=config.getoption("randomly_seed", None))
        same += more
    items[:] = workers.long_ones_first(kept) if hasattr(config, "workerinput") else kept
    config.hook.pytest_deselected(items=same)


def _asks_a_database(item: pytest.Item) -> bool:
    case, fixtures = getattr(item, "cls", None), getattr(item, "fixturenames", ())
    if case and issubclass(case, TransactionTestCase):
        return True
    return bool(item.get_closest_marker("django_db") or DATABASE & set(fixtures))


def _quick_settings() -> None:
    # Argon2 is slow on purpose, and the manifest of static files exists only after collectstatic.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.LEASE_IDLE_SECONDS = PATIENCE  # whoever is stopped in a test of ours is slow
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        # A file and not memory: journal, locks and threads as in the product.
        test = settings.DATABASES["default"].setdefault("TEST", {})
        test["NAME"] = str(Path(settings.DATA_DIR) / "test.sqlite3")
    else:
        settings.DATABASES["default"]["OPTIONS"]["connect_timeout"] = PATIENCE
    post_migrate.connect(_guard_trail, dispatch_uid="tests")  # of every flush too
    post_migrate.connect(_add_shared_issuers, dispatch_uid="tests of issuers")


@pytest.fixture(autouse=True)
def _same_names() -> None:
    factories.restart()


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits live in the cache; one test must not use up another's."""
    cache.clear()


@pytest.fixture(autouse=True)
def _catalog_read(request: pytest.FixtureRequest) -> None:
    """The list of the registry was read, as wherever a worker runs; before, no namespace can be made."""
    marker = request.node.get_closest_marker("django_db")
    transactional = {"transactional_db", "live_server"} & set(request.fixturenames)
    if transactional or (marker and marker.kwargs.get("transaction")):
        request.getfixturevalue("transactional_db")
    elif marker or "db" in request.fixturenames:
        request.getfixturevalue("db")
    else:
        return
    CatalogRead.objects.create(registry=settings.REGISTRY_URL, started_at=timezone.now())


@pytest.fixture(autouse=True)
def _empty_trail(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a transactional test the database is flushed, with DELETE or TRUNCATE, which the audit log refuses."""
    marker = request.node.get_closest_marker("django_db")
    transactional = bool(marker and marker.kwargs.get("transaction"))
    if {"transactional_db", "live_server"} & set(request.fixturenames):
        request.getfixturevalue("transactional_db")  # set up before us, hence torn down after us
        transactional = True
    yield
    if not transactional:
        return
    if connection.vendor == "postgresql":
        _triggers("DISABLE")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        for table in AUDIT_TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
        for _name, sql in triggers:
            cursor.execute(sql)


def _guard_trail(**_more: Any) -> None:
    if connection.vendor == "postgresql":
        _triggers("ENABLE")


def _add_shared_issuers(app_config: AppConfig, **_more: Any) -> None:
    """A flush takes what a migration has added, and the next test may be one that looks for it."""
    if app_config.label == "accounts" and not IdTokenIssuer.objects.exists():
        migration = import_module("accounts.migrations.0007_id_token_trust")
        migration.add_shared_issuers(apps, None)


def _triggers(do: str) -> None:
    with connection.cursor() as cursor:
        for table in AUDIT_TABLES:
            cursor.execute(f"ALTER TABLE IF EXISTS {table} {do} TRIGGER USER")
