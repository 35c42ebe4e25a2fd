"""Settings for speed, and what every test may ask for: the cast, and the real parts."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache

pytest_plugins = ["tests.cast", "tests.parts.fixtures"]


def pytest_configure() -> None:
    # Argon2 is slow on purpose, and the manifest of static files exists only after collectstatic.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        # A file and not memory: journal, locks and threads as in the product.
        test = settings.DATABASES["default"].setdefault("TEST", {})
        test["NAME"] = str(Path(settings.DATA_DIR) / "test.sqlite3")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits live in the cache; one test must not use up another's."""
    cache.clear()
