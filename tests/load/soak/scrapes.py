"""Scrapes each server of tokens once a second, and says whether what it counted is what it was asked."""

import time
from collections import Counter
from dataclasses import dataclass

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.load.soak.counted import Asked, Scrape, astray, backwards
from tests.load.soak.crowd import lines
from tests.load.soak.house import METRICS_KEY, House
from tests.load.soak.report import Report

EACH_SCRAPE = 1.0  # seconds
COUNT = "registry_manager_token_seconds_count"


@dataclass(frozen=True)
class Server:
    name: str
    port: int


class Scrapes:
    """`seen`: what was answered; `away`: how often a server was not there, or had not done so in time."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.servers = [Server(name, port) for name, port in house.ports.items() if name.startswith("tokens")]
        self.seen: list[Scrape] = []
        self.away: Counter[str] = Counter()

    def look(self) -> None:
        for server in self.servers:
            kept, began = self.house.supervisor.kept[server.name], time.time()
            life = kept.started_at
            try:
                count = _scrape(server.port)
            except requests.RequestException:
                self.away[server.name] += 1
                continue
            if life == kept.started_at and not kept.ended():  # else nobody knows whose it was
                self.seen.append(Scrape(server.port, life, began, time.time(), count))

    def say(self, said: Report) -> None:
        asked = [Asked(**line) for line in lines(self.house.passed)]
        names = {server.name: server.port for server in self.servers}
        killed = [(names[kill.name], kill.at) for kill in self.house.supervisor.kills if kill.name in names]
        lives = len({(each.port, each.life) for each in self.seen})
        said.head("METRICS: each server of tokens, scraped once a second")
        said.fact(
            "scrapes", f"{len(self.seen):,}", f"{self.away.total():,} more met no server; {lives} lives"
        )
        said.fact("requests for tokens", f"{len(asked):,}")
        said.most("counts that went back", len(backwards(self.seen)), 0)
        wrong = astray(self.seen, asked, killed)
        said.most("counts that are not what was asked", len(wrong), 0)
        said.examples(map(str, wrong))


def _scrape(port: int) -> int:
    headers = {"Authorization": f"Bearer {METRICS_KEY}", "Connection": "close"}
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", headers=headers, timeout=10)
    answer.raise_for_status()
    families = text_string_to_metric_families(answer.text)
    samples = (sample for family in families for sample in family.samples)
    return int(sum(sample.value for sample in samples if sample.name == COUNT))
