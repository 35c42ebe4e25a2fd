"""nginx, Caddy, Compose, systemd and Prometheus take the files that we ship, and their checks find a mistake."""

import shutil
from pathlib import Path

import pytest

from tests.checks import deploy_files
from tests.checks.deploy_files import CHECKS, Check
from tests.parts import fixtures

pytestmark = pytest.mark.contract
MISTAKES = {
    "nginx": ("deploy/nginx/registry-manager.conf", "proxy_buffering off", "proxy_buffer off"),
    "caddy": ("deploy/caddy/Caddyfile", "lb_policy", "lb_polisy"),
    "compose-files": ("deploy/compose.machines.yaml", "profiles", "profile"),
    "prometheus": ("deploy/prometheus/alerts.yml", "expr:", "expression:"),
    "": ("deploy/grafana/registry-manager.json", '"panels"', '"painels"'),
    "systemd": ("deploy/systemd/registry-manager-web.service", "KillMode=mixed", "KillMood=mixed"),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.ask.__name__)
def test_the_program_takes_its_files(check: Check) -> None:
    fixtures.need(*filter(None, [check.part]))
    assert deploy_files.problems(check) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.ask.__name__)
def test_a_mistake_is_found(check: Check, tmp_path: Path) -> None:
    fixtures.need(*filter(None, [check.part]))
    shutil.copytree(deploy_files.ROOT / "deploy", tmp_path / "deploy")
    for name in ("compose.yaml", "Caddyfile"):
        shutil.copy(deploy_files.ROOT / name, tmp_path)
    file, right, wrong = MISTAKES[check.part]
    text = (tmp_path / file).read_text()
    assert right in text
    (tmp_path / file).write_text(text.replace(right, wrong))
    found = deploy_files.problems(check, tmp_path)
    assert check.part == "" or wrong.partition("=")[0].partition(" ")[0].strip(":") in str(found)
    assert found
