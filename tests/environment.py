"""The environment of a test run, made before Django reads its settings: hence a plugin, loaded by `-p`.

Every run, and every worker of one, has a data folder and secret files of its own. The database is SQLite in
that folder, or what DATABASE_URL names.
"""

import atexit
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from manager.embedded.prepare import secret_files

OURS = (
    "ALLOWED_HOSTS", "DEBUG", "EMAIL_FROM", "EMAIL_URL", "ENVIRONMENT", "LOG_LEVEL", "PORT", "PUBLIC_URL",
    "REDIS_URL", "REGISTRY_HOST", "REGISTRY_PORT", "REGISTRY_URL", "SECRETS_DIR", "SIGNUP", "SYNC_INTERVAL",
    "TIME_ZONE", "TOKEN_ISSUER", "TOKEN_SERVICE", "TOKEN_TTL", "TRUSTED_PROXIES",
)  # fmt: skip


def _prepare() -> None:
    for name in OURS:
        os.environ.pop(name, None)
    folder = Path(tempfile.mkdtemp(prefix="registry-manager-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DATA_DIR"] = str(folder)
    (folder / "static").mkdir()  # WhiteNoise warns when it is not there, and warnings fail
    secret_files(folder / "secrets", datetime.now(UTC))


_prepare()
