"""PgBouncer in front of a PostgreSQL of ours, in transaction mode: each transaction may get another connection."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.parts import install, postgres, processes

# Fewer than ask at once, so that nobody keeps a connection.
POOL_SIZE = 3


@contextmanager
def in_front_of(database: postgres.Cluster, **more: str) -> Iterator[str]:
    """Yields the URL of the database through the pooler; `more` are further lines of its configuration."""
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    if database.user:
        shutil.chown(folder, database.user, database.user)
    port = processes.free_port()
    settings = {
        "listen_addr": "127.0.0.1", "listen_port": str(port), "unix_socket_dir": "", "auth_type": "trust",
        "auth_file": str(folder / "users"), "pool_mode": "transaction", "default_pool_size": str(POOL_SIZE),
    }  # fmt: skip
    (folder / "users").write_text('"postgres" ""\n"panel" ""\n')
    lines = [f"{name} = {value}" for name, value in (settings | more).items()]
    databases = ["[databases]", f"* = host=127.0.0.1 port={database.port}"]
    (folder / "pgbouncer.ini").write_text("\n".join([*databases, "[pgbouncer]", *lines, ""]))
    server = processes.start(
        "pgbouncer",
        [install.program("pgbouncer"), folder / "pgbouncer.ini"],
        log=folder / "pgbouncer.log",
        cwd=folder,
        user=database.user,
        env=dict(os.environ),
    )
    try:
        server.wait_until(lambda: processes.tcp_answers(port), f"open port {port}")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres?{postgres.PATIENT}"
    finally:
        server.stop()
        shutil.rmtree(folder)
