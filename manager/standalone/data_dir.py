"""Creates what the standalone set needs in its data folder. Repeatable: what is there stays as it is."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.common import secret_files
from registry_sync.tokens import ca

RANDOM_FILES = ("django.key", "pepper-1.key", "encryption-1.key", "hook.key", "registry-http.key")


def init_data_dir(*, events_url: str | None = None, new_keys: bool = True, read_only: bool = False) -> Path:
    """Folders, secret files, signing keys, and the registry's configuration, whose path it returns.

    Without `new_keys`, raise SecretFileError where a key is missing. `read_only`: the registry refuses pushes and
    deletions, for its garbage collection.
    """
    if not new_keys and (missing := missing_keys(settings.SECRETS_DIR)):
        raise secret_files.SecretFileError(
            f"{settings.SECRETS_DIR} lacks {', '.join(missing)}. Copy the keys of the machine that made them."
        )
    ensure_secret_files(settings.SECRETS_DIR, datetime.now(UTC))
    for folder in (settings.DATA_DIR, registry_folder(), config_folder()):
        private_folder(folder)
    if settings.REDIS_PASSWORD_FILE:
        write_redis_config()
    return write_registry_config(events_url=events_url, read_only=read_only)


def ensure_secret_files(folder: Path, now: datetime) -> None:
    private_folder(folder)
    for name in RANDOM_FILES:
        if not (folder / name).exists():
            secret_files.create(folder / name, secret_files.new_key())
    ca.ensure_keys(folder, now)


def missing_keys(folder: Path) -> list[str]:
    """Return the keys that all machines share and this folder lacks. A leaf may be each machine's own."""
    shared = [*RANDOM_FILES, ca.CA_KEY, ca.CA_CERTIFICATE]
    return [name for name in shared if not any(folder.glob(name.replace("-1.", "-*.")))]


def private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def registry_folder() -> Path:
    return Path(settings.DATA_DIR) / "registry"


def redis_folder() -> Path:
    return Path(settings.DATA_DIR) / "redis"


def config_folder() -> Path:
    """All that the registry needs to read, and nothing that it must not: no key is in here."""
    return Path(settings.DATA_DIR) / "registry-config"


def write_registry_config(*, events_url: str | None, read_only: bool = False) -> Path:
    path, trusted = config_folder() / "registry.yml", config_folder() / ca.CA_CERTIFICATE
    secret_files.replace(trusted, secret_files.read(settings.SECRETS_DIR / ca.CA_CERTIFICATE))
    config = registry_config(
        port=settings.REGISTRY_PORT,
        data=registry_folder(),
        realm=settings.TOKEN_URL,
        service=settings.TOKEN_SERVICE,
        issuer=settings.TOKEN_ISSUER,
        trusted=trusted,
        http_secret=secret_files.read_key(settings.SECRETS_DIR / "registry-http.key").decode(),
    )
    if read_only:
        config["storage"]["maintenance"] = {
            "readonly": {"enabled": True},
            "uploadpurging": {"enabled": False},
        }
    if events_url:
        hook = secret_files.read_key(settings.SECRETS_DIR / "hook.key").decode()
        config["notifications"] = notifications(events_url, hook)
    # JSON is YAML too, and quotes every path rightly.
    secret_files.replace(path, json.dumps(config, indent=2).encode())
    return path


def write_redis_config() -> None:
    """Redis reads its password from a configuration, or from a command line, which everybody can see."""
    private_folder(redis_folder())
    password = secret_files.read_key(Path(settings.REDIS_PASSWORD_FILE)).decode()
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    secret_files.replace(redis_folder() / "redis.conf", f'requirepass "{quoted}"\n'.encode())


def registry_config(
    *, port: int, data: Path, realm: str, service: str, issuer: str, trusted: Path, http_secret: str
) -> dict[str, Any]:
    """Return a configuration that Distribution 2.8.2 and 3.1.2 both accept (2.8 ignores `signingalgorithms`)."""
    return {
        "version": 0.1,
        # The access log would print a line for every request of the sync.
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(data)},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": True},
            "maintenance": {
                "uploadpurging": {"enabled": True, "age": "168h", "interval": "24h", "dryrun": False},
            },
        },
        "http": {
            "addr": f"127.0.0.1:{port}",
            "relativeurls": True,
            "secret": http_secret,
            "headers": {"X-Content-Type-Options": ["nosniff"]},
        },
        "auth": {
            "token": {
                "realm": realm,
                "service": service,
                "issuer": issuer,
                "autoredirect": False,
                "rootcertbundle": str(trusted),
                "signingalgorithms": ["ES256"],
            }
        },
        "catalog": {"maxentries": 1000},
        # Layers that clients fetch elsewhere, as Windows images had: without this line their push is a 500.
        "validation": {"manifests": {"urls": {"allow": ["^https?://"]}}},
        "health": {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}},
    }


def notifications(url: str, hook: str) -> dict[str, Any]:
    return {
        "events": {"includereferences": True},
        "endpoints": [
            {
                "name": "panel",
                "url": url,
                "headers": {"Authorization": [f"Bearer {hook}"]},
                "timeout": "5s",
                "threshold": 5,
                "backoff": "10s",
                "ignore": {"mediatypes": ["application/octet-stream"]},
            }
        ],
    }
