"""A real Prometheus that scrapes servers of this machine every few seconds."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parts import install, processes

JOB = "registry-manager"
SETTINGS = """
global: {{scrape_interval: 3s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: {job}
    scrape_timeout: 3s
    authorization: {{credentials_file: "{key}"}}
    static_configs: [{{targets: {targets}}}]
"""


@dataclass(frozen=True)
class Prometheus:
    port: int
    process: processes.Running

    def wait_for(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples that it finds, once there are some."""
        found: list[dict[str, Any]] = []

        def finds() -> bool:
            found[:] = self.ask(expression)
            return bool(found)

        self.process.wait_until(finds, f"answer to {expression}")
        return found

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples that it finds now."""
        found: list[dict[str, Any]] = self._get(f"query?{urllib.parse.urlencode({'query': expression})}")[
            "result"
        ]
        return found

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("targets")["activeTargets"]
        return found

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=120) as answer:
            return json.load(answer)["data"]


@contextmanager
def running(folder: Path, ports: Sequence[int], key: Path, rules: Path) -> Iterator[Prometheus]:
    port = processes.free_port()
    targets = json.dumps([f"127.0.0.1:{each}" for each in ports])
    settings = folder / "prometheus.yml"
    settings.write_text(SETTINGS.format(rules=rules, job=JOB, key=key, targets=targets))
    command = [
        install.program("prometheus"),
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    process = processes.start("prometheus", command, log=folder / "prometheus.log", cwd=folder)
    # 503 until then
    process.wait_until(lambda: processes.http_answers(f"http://127.0.0.1:{port}/-/ready"), "answer")
    try:
        yield Prometheus(port, process)
    finally:
        process.stop()
