"""Redis with the password that `init_data_dir` makes, and over TLS: for the cache and for the broker alike."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as client
import yaml

from tests.parts import certificates, fixtures, processes, redis, team

pytestmark = pytest.mark.broker
ROOT = Path(__file__).resolve().parents[2]
# Both as they are used: a task sent and taken, a value kept by Redis and not by this process.
BOTH = """
import logging
logging.disable(logging.CRITICAL)
from django.conf import settings
from django.core.cache import cache
from manager.cache import RedisOrMemoryCache
from manager.celery import app
# A panel goes on without a Redis that takes a second; here it is to say yes or no, however long it takes.
for timeout in ("socket_timeout", "socket_connect_timeout"):
    settings.CACHES["default"]["OPTIONS"][timeout] = app.conf.broker_transport_options[timeout] = {patience}
cache.set("value", 1)
print("CACHE", RedisOrMemoryCache.breaker.may_ask and cache.get("value"), end=" ")
try:
    with app.connection_for_write() as wire:
        wire.ensure_connection(max_retries=1, interval_start=0, timeout={patience}, reraise_as_library_errors=True)
        queue = wire.SimpleQueue("test")
        queue.put("here")
        told = queue.get(timeout={patience}).payload
        queue.close()
    print("BROKER", told)
except Exception as error:
    print("BROKER", type(error).__name__)
""".replace("{patience}", str(processes.PATIENCE))
GOOD, REFUSED = "CACHE 1 BROKER here", "CACHE False BROKER OperationalError"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[redis.RunningRedis]:
    fixtures.need("redis")
    environment = kept(
        tmp_path, "redis://127.0.0.1:1/0", REDIS_PASSWORD_FILE=str(tmp_path / "data/redis/password")
    )
    team.manage(environment, "init_data_dir")
    running = redis.start(tmp_path, config=tmp_path / "data/redis/redis.conf")
    yield running
    running.stop()


@pytest.fixture
def files(tmp_path: Path) -> certificates.Files:
    return certificates.make(tmp_path / "tls")


@pytest.fixture
def over_tls(files: certificates.Files, tmp_path: Path) -> Iterator[redis.RunningRedis]:
    fixtures.need("redis")
    (tmp_path / "redis.conf").write_text("requirepass hunter2\n")
    running = redis.start(tmp_path, config=tmp_path / "redis.conf", tls=files)
    yield running
    running.stop()


def kept(folder: Path, url: str, **more: str) -> dict[str, str]:
    names = ("SECRETS_DIR", "DATABASE_URL")
    env = {name: value for name, value in os.environ.items() if name not in names}
    return env | {"DATA_DIR": str(folder / "data"), "REDIS_URL": url} | more


def tried(folder: Path, url: str, **more: str) -> str:
    return team.shell(kept(folder, url, **more), BOTH).strip()


def test_cache_and_broker_take_the_password_from_its_file(server: redis.RunningRedis, tmp_path: Path) -> None:
    password = tmp_path / "data/redis/password"
    assert tried(tmp_path, server.url, REDIS_PASSWORD_FILE=str(password)) == GOOD
    assert tried(tmp_path, server.url) == REFUSED
    with client.Redis.from_url(server.url) as stranger, pytest.raises(client.AuthenticationError):
        stranger.ping()
    password.write_text("x" * 64)
    password.chmod(0o600)
    env = kept(tmp_path, server.url, REDIS_PASSWORD_FILE=str(password))
    assert team.shell(env, BOTH).strip() == REFUSED


def test_the_password_is_in_no_command_line(server: redis.RunningRedis, tmp_path: Path) -> None:
    password = (tmp_path / "data/redis/password").read_text()
    assert len(password) > 32
    assert password not in Path(f"/proc/{server.process.popen.pid}/cmdline").read_text()
    health = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["redis"]["healthcheck"]["test"][
        1
    ]
    assert password not in health

    def asked(folder: Path) -> int:
        command = health.replace("$$", "$").replace("/run/redis", str(folder))
        command = command.replace("redis-cli", f"redis-cli -p {server.port}")
        return subprocess.run(["/bin/sh", "-c", command], check=False, capture_output=True).returncode

    assert asked(tmp_path / "data/redis") == 0
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong/password").write_text("x" * 64)
    assert asked(tmp_path / "wrong") != 0


def test_a_password_of_any_characters_is_written_so_that_redis_reads_it(tmp_path: Path) -> None:
    fixtures.need("redis")
    password = tmp_path / "password"
    password.write_text("""a "quoted" \\ one; with 'all', # and % and more @ :/? {}""")
    password.chmod(0o600)
    env = kept(tmp_path, "redis://127.0.0.1:1/0", REDIS_PASSWORD_FILE=str(password))
    team.manage(env, "init_data_dir")
    running = redis.start(tmp_path, config=tmp_path / "data/redis/redis.conf")
    try:
        assert tried(tmp_path, running.url, REDIS_PASSWORD_FILE=str(password)) == GOOD
    finally:
        running.stop()


def test_over_tls_both_look_at_the_certificate(
    over_tls: redis.RunningRedis, files: certificates.Files, tmp_path: Path
) -> None:
    other = certificates.make(tmp_path / "other")
    base = f"rediss://:hunter2@127.0.0.1:{over_tls.port}/0"
    assert tried(tmp_path, f"{base}?ssl_ca_certs={files.authority}") == GOOD
    assert tried(tmp_path, f"{base}?ssl_cert_reqs=none") == GOOD
    assert tried(tmp_path, f"{base}?ssl_ca_certs={other.authority}") == REFUSED
    assert tried(tmp_path, base) == REFUSED  # the machine's authorities do not know ours
    assert tried(tmp_path, f"{base}?ssl_ca_certs={files.authority}".replace("hunter2", "wrong")) == REFUSED
    assert tried(tmp_path, base.replace("rediss", "redis")) == REFUSED


def test_over_tls_both_look_at_the_name(tmp_path: Path) -> None:
    fixtures.need("redis")
    elsewhere = certificates.make(tmp_path / "tls", address="127.0.0.9")
    running = redis.start(tmp_path, tls=elsewhere)
    base = f"rediss://127.0.0.1:{running.port}/0?ssl_ca_certs={elsewhere.authority}"
    try:
        assert tried(tmp_path, base) == REFUSED
        assert tried(tmp_path, f"{base}&ssl_check_hostname=false") == GOOD
    finally:
        running.stop()
