"""docs/metrics.md, the rules, the dashboard and the code name the same metrics, with the same label values."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts.common import counts
from accounts.common.counts import Counter
from accounts.models import AuditEvent
from manager.metrics import gauges, machine_gauges
from manager.metrics.collector import PATIENCE
from manager.server import web
from registry_sync.models import SyncRun

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/metrics.md").read_text()
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][
    0
]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/registry-manager.json").read_text())
ROW = re.compile(r"^\| `(registry_manager_\w+)` \| (?:`(\w+)`)? ?\| (.+) \|$", re.MULTILINE)
NAME = re.compile(r"registry_manager_\w+")
assert web  # it declares what it counts


@pytest.fixture
def shown(db: None) -> dict[str, tuple[str, set[str]]]:
    """Return name → label, and its values."""
    SyncRun.objects.create(state="done", started_at="2026-01-01T00:00Z", finished_at="2026-01-01T00:01Z")
    AuditEvent.objects.create()
    found = {each.name: (each.label, set(each.numbers())) for each in counts.ALL}
    asked = [*gauges.collect(), *machine_gauges.of_this_machine()]
    found |= {each.name: (each.label, set(each.values) - {""}) for each in asked}
    return found | {"registry_manager_database_up": ("", set())}


def test_the_tables_are_complete_and_hold_nothing_else(shown: dict[str, tuple[str, set[str]]]) -> None:
    assert {name: label for name, label, _about in ROW.findall(DOCS)} == {
        name: label for name, (label, _values) in shown.items()
    }


def test_each_value_of_a_label_is_explained(shown: dict[str, tuple[str, set[str]]]) -> None:
    explained = {name: about for name, _label, about in ROW.findall(DOCS)}
    same = {"kind", "within", "version", "outcome"}  # said once, or a number
    for name, (label, values) in shown.items():
        missing = [value for value in values if f"`{value}`" not in explained[name]]
        assert not missing or label in same, (name, missing)


def test_rules_and_dashboard_name_only_what_there_is(shown: dict[str, tuple[str, set[str]]]) -> None:
    texts = [rule["expr"] for rule in RULES]
    texts += [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    series = {*shown}
    for each in counts.ALL:
        if not isinstance(each, Counter):
            series |= {f"{each.name}{ending}" for ending in ("_bucket", "_count", "_sum")}
    assert {name for text in texts for name in NAME.findall(text)} <= series


def test_the_dashboard_shows_all_that_is_documented(shown: dict[str, tuple[str, set[str]]]) -> None:
    told = {re.sub("_(bucket|count|sum)$", "", name) for name in NAME.findall(json.dumps(DASHBOARD))}
    assert {*shown} <= told


def test_a_scrape_ends_well_before_prometheus_gives_up() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    [timeout] = [each.get("scrape_timeout", "10s") for each in config["scrape_configs"]]
    assert f"{2 * PATIENCE:.0f}s" == timeout
    assert f"A scrape waits {PATIENCE:.0f} seconds for the\ndatabase at most" in DOCS


def test_eight_rules_each_of_them_documented() -> None:
    assert re.findall(r"^\| `(RegistryManager\w+)`", DOCS, re.MULTILINE) == [rule["alert"] for rule in RULES]
    assert len(RULES) == 8
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_panels_have_places_and_numbers_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        places = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not places & taken
        assert at["x"] + at["w"] <= 24
        taken |= places
    titles = [panel["title"] for panel in panels]
    assert len(set(titles)) == len(titles)
