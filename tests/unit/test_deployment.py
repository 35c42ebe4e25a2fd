"""Dockerfile, compose.yaml, Caddyfile, deploy/, settings and docs/operations.md tell one story."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.urls import reverse

from manager.environment import RENAMED
from tests.parts import install

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PANEL = {name: service for name, service in SERVICES.items() if service["image"] == "registry-manager"}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
NGINX = (ROOT / "deploy/nginx/registry-manager.conf").read_text()
UNITS = {
    path.stem.removeprefix("registry-manager-"): path.read_text()
    for path in (ROOT / "deploy/systemd").iterdir()
}
NOT_SETTINGS = {"PANEL_HOST", "TLS"}  # compose.yaml alone reads these


def documented() -> set[str]:
    section = OPERATIONS.partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


@pytest.mark.parametrize("file", ["deploy/compose.machines.yaml", "docs/operations.md"])
def test_a_registry_on_object_storage_can_be_made_read_only(file: str) -> None:
    """REGISTRY_STORAGE replaces what registry.yml says of storage, also that it is read-only."""
    text = (ROOT / file).read_text()
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    assert "REGISTRY_STORAGE: s3" in lines
    assert 'REGISTRY_STORAGE_MAINTENANCE_READONLY: "{enabled: ${REGISTRY_READ_ONLY:-false}}"' in lines


def test_the_table_of_settings_is_complete_and_holds_nothing_else() -> None:
    text = (ROOT / "manager" / "settings.py").read_text()
    read = set(re.findall(r"environment\.(?:env\.)?\w+\(\s*\"([A-Z_]+)\"", text))
    assert read == documented()


def test_what_the_containers_are_told_is_a_setting() -> None:
    told = {name for service in PANEL.values() for name in service["environment"]}
    told |= set(re.findall(r"\b([A-Z_]+)=", DOCKERFILE.rpartition("FROM ")[2].partition("ENV ")[2]))
    plain = {name if name in documented() else name.removesuffix("_FILE") for name in told}
    assert plain - {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", *RENAMED} <= documented()


def test_a_former_name_in_the_env_file_reaches_the_panel_which_refuses_it() -> None:
    optional = {name for name, value in PANEL["web"]["environment"].items() if value is None}
    assert optional & {*RENAMED} == {old for old, new in RENAMED.items() if new in optional}


def test_what_is_read_from_the_env_file_is_told_to_operators() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_TEXT))
    asked |= {
        name for service in PANEL.values() for name, value in service["environment"].items() if value is None
    }
    asked -= {*RENAMED}
    part = OPERATIONS.partition("## From zero to running")[2].partition("\n## ")[0]
    assert {name for name in asked if f"`{name}`" not in part and f"{name}=" not in part} == set()
    assert asked & NOT_SETTINGS == NOT_SETTINGS


def test_no_secret_stands_in_an_environment() -> None:
    names = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {
        name for name in names if re.search("PASSWORD|SECRET|KEY", name) and not name.endswith("_FILE")
    } == set()
    assert "://panel:" not in COMPOSE_TEXT


def test_only_the_proxy_is_open_to_the_outside() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "proxy": ["80:80", "443:443", "443:443/udp"]
    }
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if service["networks"] == ["inside"]} == {
        "prepare",
        "migrate",
        "database",
        "redis",
    }


def test_nobody_waits_for_a_health_that_is_never_told() -> None:
    for service in SERVICES.values():
        for name, wait in service.get("depends_on", {}).items():
            other = SERVICES[name]
            if wait["condition"] == "service_completed_successfully":
                assert other["restart"] == "no"
            elif wait["condition"] != "service_started":
                assert wait["condition"] == "service_healthy"
                assert (
                    name in {"web", "tokens"} or "test" in other["healthcheck"]
                )  # theirs is the image's own


def test_the_worker_is_stopped_before_the_registry() -> None:
    """Else it notes that push and pull fail, and the next start shows it."""
    assert "registry" in SERVICES["worker"]["depends_on"]


def test_keys_are_where_they_are_needed_and_nowhere_else() -> None:
    held = {
        name: [volume.split(":") for volume in service.get("volumes", [])]
        for name, service in SERVICES.items()
    }
    assert {name for name, volumes in held.items() if any(volume[0] == "panel" for volume in volumes)} == set(
        PANEL
    )
    theirs = {"database-password", "redis-password", "registry-config"}
    writers = {
        name
        for name, volumes in held.items()
        for volume in volumes
        if volume[0] in theirs and volume[-1] != "ro"
    }
    assert writers == {"prepare"}


def test_the_registry_reads_what_prepare_writes() -> None:
    from manager.standalone import data_dir

    name = data_dir.config_folder().name
    assert SERVICES["registry"]["command"] == ["serve", f"/data/{name}/registry.yml"]
    for service in ("registry", "prepare"):
        mounted = {volume.split(":")[0]: volume.split(":")[1] for volume in SERVICES[service]["volumes"]}
        assert mounted["registry-config"] == f"/data/{name}"
        assert mounted["registry"] == f"/data/{data_dir.registry_folder().name}"
    made = re.search(r"install -d .*", DOCKERFILE)
    assert made
    assert {f"/data/{name}", "/data/registry", "/data/database", "/data/redis", "/data/secrets"} <= set(
        made[0].split()
    )
    assert SERVICES["registry"]["user"] in DOCKERFILE


def test_the_registry_that_is_shipped_is_the_one_that_is_tested() -> None:
    tested = install.GO_PROGRAMS["registry 3.1"].version
    assert SERVICES["registry"]["image"] == f"registry:{tested.removeprefix('v')}"


def test_redis_reads_its_password_from_what_prepare_writes() -> None:
    from manager.standalone import data_dir

    redis, settings = SERVICES["redis"], SERVICES["web"]["environment"]
    folder = f"/data/{data_dir.redis_folder().name}"
    assert settings["REDIS_PASSWORD_FILE"] == f"{folder}/password"
    assert f"redis-password:{folder}" in SERVICES["prepare"]["volumes"]
    assert all(f"redis-password:{folder}:ro" in PANEL[name]["volumes"] for name in PANEL if name != "prepare")
    assert redis["volumes"] == ["redis-password:/run/redis:ro"]
    assert redis["command"][:2] == ["redis-server", "/run/redis/redis.conf"]
    assert redis["user"] in DOCKERFILE  # the file is its owner's alone
    assert "--protected-mode" not in redis["command"]
    assert redis["depends_on"]["prepare"]["condition"] == "service_completed_successfully"
    shell, command = redis["healthcheck"]["test"]
    assert (shell, re.findall(r"redis-cli (.*) \|", command)) == ("CMD-SHELL", ["ping"])


def test_the_image_has_the_whole_program_and_no_more() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = set(
        re.findall(r"root_packages = \[(.*)\]", (ROOT / "pyproject.toml").read_text())[0].split('"')[1::2]
    )
    assert let_in == packages | {"manage.py", "pyproject.toml", "requirements.lock", "static", "templates"}
    assert all((ROOT / name).exists() for name in let_in)
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER (?!root|0)", DOCKERFILE.rpartition("FROM ")[2], re.MULTILINE)
    assert "/healthz" in DOCKERFILE


def test_the_base_of_the_image_is_one_that_is_never_another() -> None:
    (base,) = re.findall(r"^ARG PYTHON=(.*)", DOCKERFILE, re.MULTILINE)
    named = re.fullmatch(r"python:3\.(\d+)-slim-[a-z]+@sha256:[0-9a-f]{64}", base)
    assert named
    assert int(named[1]) >= int(PROJECT["requires-python"].removeprefix(">=3."))
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON}"}


def test_the_image_says_what_it_is() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', DOCKERFILE))
    build = (ROOT / ".ci/image").read_text()
    assert labels["description"] == PROJECT["description"]
    for name in ("version", "revision", "created"):
        assert labels[name] == f"${{{name.upper()}}}"
        assert f'--build-arg "{name.upper()}=$' in build


def test_the_changelog_tells_of_this_version() -> None:
    """Sections as https://keepachangelog.com wants them: "Unreleased", then each version with its day."""
    heads = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    releases = [head for head in heads if head != "Unreleased"]
    assert heads[-len(releases) :] == releases
    found = [re.fullmatch(r"(\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d", head) for head in releases]
    assert all(found)
    assert found[0]
    assert found[0][1] == PROJECT["version"]


def started(unit: str) -> list[list[str]]:
    return [
        line.split()
        for line in re.findall(
            r"^ExecStart=/opt/registry-manager/\.venv/bin/(.*)$", UNITS[unit], re.MULTILINE
        )
    ]


def test_systemd_starts_what_the_image_starts() -> None:
    found = re.search(r"^CMD (\[.*\])\s*\Z", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found
    web = json.loads(found[1].replace("\\\n", ""))
    for name, command in {
        "web": web,
        **{name: SERVICES[name]["command"] for name in ("tokens", "worker", "scheduler")},
    }.items():
        (words,) = started(name)
        port = ["--port", "8001"] if name == "tokens" else []
        listens = {"0.0.0.0": "${LISTEN}"}  # noqa: S104
        assert sorted(words) == sorted(listens.get(word, word) for word in [*command, *port])


def test_systemd_prepares_what_compose_prepares() -> None:
    commands = [SERVICES[name]["command"] for name in ("prepare", "migrate")]
    assert started("migrate")[:2] == [[*commands[0], "$KEYS"], commands[1]]


def test_units_keep_away_from_each_other_and_from_the_machine() -> None:
    """What protects them is the same in all, and only the panel's own folder can be written."""
    protected = {text[text.index("User=") : text.index("[Install]")] for text in UNITS.values()}
    assert len(protected) == 1
    assert {"ProtectSystem=strict", "NoNewPrivileges=true", "CapabilityBoundingSet="} <= set(
        protected.pop().split()
    )
    assert {name for name, text in UNITS.items() if "EnvironmentFile=" not in text} == {"registry"}


LINKS = [
    reverse("bootstrap-link", args=["SECRET"]),
    reverse("invitation-link", args=["SECRET"]),
    reverse("account_confirm_email", args=["MQ:SECRET"]),
    reverse("account_reset_password_from_key", kwargs={"uidb36": "3", "key": "SECRET"}),
]


@pytest.mark.parametrize("link", LINKS)
def test_no_proxy_writes_down_a_link_that_is_as_good_as_a_password(link: str) -> None:
    for file in ("Caddyfile", "deploy/caddy/Caddyfile"):
        hidden = re.search(r'request>uri regexp "(.*)" "(.*)"', (ROOT / file).read_text())
        assert hidden
        assert "SECRET" not in re.sub(hidden[1], hidden[2].replace("${1}", r"\1"), link)
    silent = re.search(r"location ~ (\S+) \{\s+access_log off;.*\s+error_log /dev/null;", NGINX)
    assert silent
    assert re.match(silent[1], link)
    assert "--access-log" not in DOCKERFILE + str(UNITS) + (ROOT / "manager/standalone/run.py").read_text()


def test_the_new_key_of_a_password_or_token_reaches_whoever_answers_for_one() -> None:
    """Peppers and passwords of parts are read once in a process, so all that use them start anew."""
    part = OPERATIONS.partition("## New keys")[2].partition("\n## ")[0]
    restarted = re.findall(r"restart `?([a-z ]*\bworker\b[a-z ]*)", part)
    assert len(restarted) == part.count("worker") > 0
    assert [names for names in restarted if "tokens" not in names.split()] == []


@pytest.mark.parametrize("command", ["create_operator_link", "init_data_dir", "migrate"])
def test_named_commands_exist(command: str) -> None:
    from django.core.management import get_commands

    assert command in get_commands()
    assert command in OPERATIONS


def test_the_proxy_is_told_all_its_file_asks_for() -> None:
    text = (ROOT / "Caddyfile").read_text()
    assert set(re.findall(r"\{\$([A-Z_]+)\}", text)) == set(SERVICES["proxy"]["environment"])
    assert set(re.findall(r"reverse_proxy (\w+):", text)) == {"web", "tokens", "registry"}
    for name in ("web", "tokens"):  # else a restart is a 502
        assert re.search(rf"reverse_proxy {name}:8000 \{{\s+lb_try_duration \d+s\s+\}}", text)
