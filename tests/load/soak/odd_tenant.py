"""The soak in which nobody is killed, and one tenant pushes every manifest that nobody expects."""

import base64
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.load.panel import request
from tests.load.soak import crowd
from tests.load.soak.house import House
from tests.load.soak.report import Report
from tests.load.soak.watch import EACH_LOOK, Inventory, Light, Watch

CALM = 1 / 3  # of the time, at first, without them
PAGES, TOKENS = 4, 20  # asked for in a second
PAGE_MOST, TOKEN_MOST = 1_000, 200  # milliseconds
IMAGE = "/a/team0/n/team0/i/app/"
THEIRS = [IMAGE, f"{IMAGE}-/history/", "/a/team0/n/team0/", "/a/team0/images/"]
RUNS = """
select state, count(*) from registry_sync_syncrun
where not quick and finished_at is not null and started_at between to_timestamp({begin}) and to_timestamp({end})
group by state
"""


@dataclass
class Phase:
    name: str
    begin: float
    end: float
    asked: dict[str, Any]  # what tests.load.paced said


def soak(house: House, seconds: int, seed: int) -> int:
    inventory, light = Inventory(house.database), Light(house.url + IMAGE, house.cookie)
    with Watch() as watch:
        watch.also(inventory.look, EACH_LOOK)
        clients = crowd.start(house, seconds + crowd.BEFORE, seed)
        if not house.supervisor.watch(60, lambda: any(name[0] == "team0/app" for name in inventory.now)):
            raise SystemExit("nothing of team0/app was shown in a minute")
        watch.also(light.look, 1)
        calm = phase(house, "calm", seconds * CALM)
        odd = house.python("soak.odd", registry=house.registry, user=house.odd, seed=seed, pause=0.3,
                           seconds=seconds * (1 - CALM), said=str(house.folder / "odd-said.json"))  # fmt: skip
        stormy = phase(house, "odd", seconds * (1 - CALM))
        house.supervisor.watch(90, lambda: all(each.popen.poll() is not None for each in (clients, odd)))
        settled = crowd.settle(house, inventory)
    return report(house, inventory, light, [calm, stormy], settled=settled)


def phase(house: House, name: str, seconds: float) -> Phase:
    """Others' pages and tokens, asked for at a fixed pace."""
    user, begin = house.users[0], time.time()
    basic = base64.b64encode(f"{user['username']}:{user['password']}".encode()).decode()
    token = f"/auth/token?service=soak&scope=repository:{user['repositories'][0]}:pull"
    running = house.python(f"paced-{name}", seconds=seconds, precise=False, asks=[
        {"name": "page", "port": house.ports["web1"], "connections": 4, "every": 4 / PAGES,
         "requests": [request("GET", path, Cookie=house.cookie) for path in THEIRS]},
        {"name": "token", "port": house.ports["tokens1"], "connections": 4, "every": 4 / TOKENS,
         "requests": [request("GET", token, Authorization=f"Basic {basic}")]},
    ])  # fmt: skip
    house.supervisor.watch(seconds + 30, lambda: running.popen.poll() is not None)
    return Phase(name, begin, time.time(), json.loads(running.log.read_text()))


def report(house: House, inventory: Inventory, light: Light, phases: list[Phase], *, settled: bool) -> int:
    said, acts = Report(), {act.number: act for act in crowd.acts(house)}
    waits, told = crowd.delays(house, inventory), crowd.told(house)
    for each in phases:
        odd = each.name == "odd"
        said.head(f"THE OTHERS, {'beside the odd tenant' if odd else 'before'}")
        page, token = each.asked["page"], each.asked["token"]
        of_pages, of_tokens = (f"p50 {ask['p50']:.0f} ms, {ask['asked']:,} asked" for ask in (page, token))
        said.most("a page p99", page["p99"], PAGE_MOST, " ms", of_pages)
        said.most("a token p99", token["p99"], TOKEN_MOST, " ms", of_tokens)
        said.most("without an answer, or another than 200", page["failed"] + token["failed"], 0)
        some = {key: wait for key, wait in waits.items() if each.begin <= told.at[key[0]] < each.end}
        crowd.times(said, "from our 202 to the inventory", list(some.values()))
        said.examples(
            crowd.line(acts[number]) for (number, _tag), wait in some.items() if wait == float("inf")
        )
        said.least("looks at a page whose light was live", 100 * light.share(each.begin, each.end), 100, " %",
                   light.states(each.begin, each.end))  # fmt: skip
        runs = dict(inventory.rows(RUNS.format(begin=each.begin, end=each.end)))
        said.fact("full checks done", runs.pop("done", 0))
        states = ", ".join(f"{n} {state}" for state, n in runs.items())
        said.most("full checks that ended otherwise", sum(runs.values()), 0, more=states)

    said.head("THE ODD TENANT: what the registry answered")
    path = house.folder / "odd-said.json"
    for kind, answers in (json.loads(path.read_text()) if path.exists() else {}).items():
        said.fact(kind.replace("_", " "), ", ".join(f"{n} {answer}" for answer, n in answers.items()))

    said.head("IN THE END")
    said.fact("what was told of the others is applied", "yes" if settled else f"no, {crowd.SETTLED} s later")
    waiting = crowd.waiting(inventory, crowd.ODD)
    said.fact("events of the odd tenant that still wait", waiting.total())
    said.examples(f"{n:,}: {problem}" for problem, n in waiting.most_common())
    said.equal("a full check after it", crowd.check(house, inventory), "done")
    wrong = crowd.differences(house, inventory)
    mine = Counter(repository.partition("/")[0] == "odd" for repository, _tag in wrong)
    said.most("differences of the others", mine[False], 0)
    said.most("differences of the odd tenant", mine[True], 0)
    said.examples(crowd.differing(wrong), 10)
    return said.end()
