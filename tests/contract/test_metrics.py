"""Metrics as Prometheus sees them: counts of several processes, the shipped rules and dashboard, and the proxies."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from accounts.common import secret_files
from tests.parts import install, processes, prometheus, proxies, team
from tests.parts.fixtures import need
from tests.parts.prometheus import Prometheus
from tests.parts.proxies import Upstreams

pytestmark = [pytest.mark.contract, pytest.mark.long]

KEY = "k" * 40
DEPLOY = install.ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "registry-manager.json").read_text())
SEEN = re.compile(
    r"registry_manager_(last_seen|sync_last_success|audit\w+|backup|\w+_counted)_timestamp_seconds"
)


def environment(folder: Path) -> dict[str, str]:
    """Return that of an installation in a folder, with a key."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    secrets = folder / "data" / "secrets"
    secrets.mkdir(mode=0o700, parents=True)
    secret_files.create(secrets / "metrics.key", KEY.encode())
    return kept | {"DATA_DIR": str(folder / "data"), "TMPDIR": str(folder)} | processes.ports()


def scrape(port: int, key: str = KEY) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.get(f"http://127.0.0.1:{port}/metrics", headers=headers, timeout=120)


def tokens_counted(port: int) -> float:
    families = text_string_to_metric_families(scrape(port).text)
    samples = [each for family in families for each in family.samples]
    return sum(each.value for each in samples if each.name == "registry_manager_token_seconds_count")


def ask_for_tokens(port: int, count: int) -> None:
    """Each on a connection of its own, so that any process may take it."""
    for _request in range(count):
        url = f"http://127.0.0.1:{port}/auth/token?service=registry&scope=repository:a/b:pull"
        requests.get(url, headers={"Connection": "close"}, timeout=120)


# Counts of several processes -------------------------------------------------------------------------


class Server:
    """The server of tokens, of three processes."""

    def __init__(self, folder: Path) -> None:
        self.env, self.port, self.folder = environment(folder), processes.free_port(), folder
        team.install(self.env)
        self.running = self.start()

    def start(self) -> processes.Running:
        command = [
            sys.executable,
            "-m",
            "manager.server",
            "tokens",
            "--port",
            str(self.port),
            "--workers",
            "3",
        ]
        running = processes.start("tokens", command, log=self.folder / "tokens.log", env=self.env)
        running.wait_until(lambda: processes.tcp_answers(self.port), "answer")
        return running

    def wait_until_counted(self, count: int) -> None:
        """What another process counted comes along a second later; it never goes back."""
        seen = [0.0]

        def counted() -> bool:
            try:
                seen.append(tokens_counted(self.port))
            except requests.ConnectionError:  # it came to the one that was just killed
                return False
            assert seen[-2] <= seen[-1] <= count
            return seen[-1] == count

        self.running.wait_until(counted, f"count of {count}")

    @property
    def workers(self) -> list[int]:
        """Processes that have answered something, and live."""
        files = self.folder.glob("registry-manager-counts-*/*.json")
        pids = [int(file.name.partition("-")[0]) for file in files]
        return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.running.stop()


def test_counts_outlive_a_process_and_not_the_server(server: Server) -> None:
    ask_for_tokens(server.port, 60)
    server.wait_until_counted(60)
    killed = server.workers[0]
    os.kill(killed, signal.SIGKILL)  # all that it counted was written
    server.running.wait_until(lambda: killed not in server.workers, "end of it")  # before, it may be asked
    server.wait_until_counted(60)
    ask_for_tokens(server.port, 30)
    server.wait_until_counted(90)
    server.running.stop(processes.PATIENCE)
    assert not list(server.folder.glob("registry-manager-counts-*"))
    server.running = server.start()
    server.wait_until_counted(0)


def test_a_reload_loses_no_count(server: Server) -> None:
    ask_for_tokens(server.port, 60)
    before = set(server.workers)
    server.running.popen.send_signal(signal.SIGHUP)  # at once: what nobody wrote yet is written at the end
    server.running.wait_until(lambda: not before & set(server.workers), "other processes")
    server.wait_until_counted(60)


@pytest.fixture(params=["silent", "not there"])
def dead_database(request: pytest.FixtureRequest) -> Iterator[int]:
    """Return the port of one that takes connections and never says a word, or of none."""
    if request.param == "not there":
        yield processes.free_port()
        return
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("name", ["tokens", "web"])
def test_a_dead_database_is_said(name: str, dead_database: int, tmp_path: Path) -> None:
    env = environment(tmp_path)
    team.manage(env, "init_data_dir")
    env["DATABASE_URL"] = f"postgresql://panel@127.0.0.1:{dead_database}/panel"
    port, log = processes.free_port(), tmp_path / "server.log"
    command = [sys.executable, "-m", "manager.server", name, "--port", str(port)]
    running = processes.start(name, command, log=log, env=env)
    running.wait_until(lambda: processes.tcp_answers(port), "answer")
    for _scrape in range(2):
        text = scrape(port).text
        assert "registry_manager_database_up 0.0" in text
        assert re.findall("registry_manager_problem{.*", text) == [
            'registry_manager_problem{problem="database"} 1.0'
        ]
        assert "registry_manager_token_seconds_count" in text
    running.stop()


# Prometheus --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the environment of a whole set that runs, with a registry."""
    folder = tmp_path_factory.mktemp("panel")
    env, log = environment(folder), folder / "run.log"
    team.put_database(env)
    running = processes.start("make run", [sys.executable, "manage.py", "run"], log=log, env=env)
    running.wait_until(lambda: "ready:" in log.read_text(), "say ready")
    yield env
    running.stop()


@pytest.fixture(scope="module")
def scraped(panel: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    need("prometheus")
    key = Path(panel["DATA_DIR"]) / "secrets" / "metrics.key"
    ports = [int(panel["PORT"]), int(panel["TOKEN_PORT"])]
    ask_for_tokens(ports[1], 3)
    with prometheus.running(tmp_path_factory.mktemp("prometheus"), ports, key, RULES) as found:
        yield found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> Iterator[str]:
    """Yield those of rules and dashboard; a comparison says yes or no, and leaves nothing out."""
    for rule in rules():
        yield re.sub(r" (==|>=|>|<)(?=\s)", r" \1 bool", rule["expr"])
    for shown in DASHBOARD["panels"]:
        for target in shown.get("targets", []):
            yield target["expr"].replace("$job", prometheus.JOB).replace("$__rate_interval", "1m")


def test_it_scrapes_both_servers(scraped: Prometheus) -> None:
    scraped.wait_for(f'sum(up{{job="{prometheus.JOB}"}}) == 2')

    def both_well() -> bool:
        return [(each["health"], each["lastError"]) for each in scraped.targets()] == [("up", "")] * 2

    scraped.process.wait_until(both_well, "scrape of both without an error")


@pytest.mark.parametrize("expression", [*expressions()])
def test_every_expression_of_rules_and_dashboard_finds_something(
    scraped: Prometheus, expression: str
) -> None:
    assert scraped.wait_for(expression)


def test_no_alert_of_a_panel_that_is_well(scraped: Prometheus) -> None:
    """One that was pending because a scrape came too early is gone at the next look, and one that fires is not."""
    scraped.wait_for(f'sum(up{{job="{prometheus.JOB}"}}) == 2 and absent(ALERTS)')


def test_what_is_counted_arrives(scraped: Prometheus) -> None:
    assert scraped.wait_for("sum(registry_manager_token_seconds_count) >= 3")


# promtool ------------------------------------------------------------------------------------------------


def promtool(*words: str | Path, given: str = "") -> str:
    need("prometheus")
    command = [install.program("promtool"), *words]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd=RULES.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_are_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES)


def test_each_rule_fires_when_it_should_and_not_before() -> None:
    tests = RULES.with_name("alerts_test.yml")
    promtool("test", "rules", tests)
    told = yaml.safe_load(tests.read_text())["tests"]
    fired = {each["alertname"] for test in told for each in test["alert_rule_test"] if "exp_alerts" in each}
    silent = {
        each["alertname"] for test in told for each in test["alert_rule_test"] if "exp_alerts" not in each
    }
    assert fired == {rule["alert"] for rule in rules()}
    assert fired <= silent


def panels_of_moments() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the question of each panel that shows when something last was, and its texts by value."""
    for shown in DASHBOARD["panels"]:
        for target in shown.get("targets", []):
            if SEEN.search(target["expr"]):
                texts = shown["fieldConfig"]["defaults"].get("mappings", [{"options": {}}])[0]["options"]
                yield target["expr"], {value: each["text"] for value, each in texts.items()}


@pytest.mark.parametrize(("expression", "texts"), [*panels_of_moments()])
def test_what_never_was_is_shown_as_never(expression: str, texts: dict[str, str], tmp_path: Path) -> None:
    [never] = texts
    assert texts[never] == "never"
    [series] = set(re.findall(r"registry_manager_\w+{[^}]*}", expression))

    def test(moment: int, value: str) -> dict[str, Any]:
        samples = [{"labels": "{}", "value": float(value)}]
        return {
            "input_series": [{"series": series, "values": f"{moment}x5"}],
            "promql_expr_test": [{"expr": expression, "eval_time": "5m", "exp_samples": samples}],
        }

    seen = "240000" if expression.endswith(" * 1000") else "60"  # it is 300 then
    file = tmp_path / "never.yml"
    file.write_text(yaml.safe_dump({"tests": [test(0, never), test(240, seen)]}))
    promtool("test", "rules", file)


def test_the_shipped_configuration_is_one(tmp_path: Path) -> None:
    key = tmp_path / "metrics.key"
    key.write_text(KEY)
    text = (
        (DEPLOY / "prometheus" / "prometheus.yml").read_text().replace("/run/secrets/metrics.key", str(key))
    )
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "alerts.yml").write_text(RULES.read_text())
    promtool("check", "config", tmp_path / "prometheus.yml")


def test_names_and_units_are_as_prometheus_wants_them(panel: dict[str, str]) -> None:
    for port in (panel["PORT"], panel["TOKEN_PORT"]):
        promtool("check", "metrics", given=scrape(int(port)).text)


# Doors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["PORT", "TOKEN_PORT"])
def test_each_server_asks_for_the_key(panel: dict[str, str], server: str) -> None:
    port = int(panel[server])
    assert scrape(port).status_code == 200
    assert scrape(port, "x" * 40).status_code == 401
    assert requests.get(f"http://127.0.0.1:{port}/metrics", timeout=120).status_code == 401


@pytest.mark.parametrize("proxy", ["nginx", *proxies.CADDY])
def test_the_proxy_says_that_there_is_no_such_page(panel: dict[str, str], proxy: str, tmp_path: Path) -> None:
    need(proxy.partition(" ")[0], root=proxy == "nginx")
    upstreams = Upstreams(int(panel["PORT"]), int(panel["TOKEN_PORT"]))
    running, port = proxies.start(proxy, tmp_path, upstreams)
    try:
        for path in ("/metrics", "/metrics?x=1", "/%6Detrics", "//metrics", "/./metrics", "/x/../metrics"):
            with requests.Session() as session:
                request = requests.Request(
                    "GET", "http://x/", headers={"Authorization": f"Bearer {KEY}"}
                ).prepare()
                request.url = f"http://127.0.0.1:{port}{path}"  # as it is written
                answer = session.send(request, timeout=120, allow_redirects=False)
            assert answer.status_code != 200, path
            assert "registry_manager_" not in answer.text
        assert scrape(port).status_code == 404
    finally:
        running.stop()
