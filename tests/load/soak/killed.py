"""The soak in which one process after another is killed."""

import os
import sys
import time
from collections import Counter

from tests.load.soak import crowd, webhooks
from tests.load.soak.backups import Backup
from tests.load.soak.house import House
from tests.load.soak.report import Report
from tests.load.soak.scrapes import EACH_SCRAPE, Scrapes
from tests.load.soak.supervisor import Kill
from tests.load.soak.tally import longest_gap, losses, percentile, spans, written
from tests.load.soak.watch import EACH_LOOK, Inventory, Tokens, Watch

EVERY = 10  # seconds from one kill to the next


def soak(house: House, seconds: int, seed: int) -> int:
    known = list(house.supervisor.kept)
    victims = os.environ["SOAK_KILL"].split(",") if os.environ.get("SOAK_KILL") else known
    if not set(victims) <= set(known):
        sys.exit(f"SOAK_KILL must be some of: {', '.join(known)}")
    inventory, user = Inventory(house.database), house.users[0]
    tokens = Tokens(house.url, user["username"], user["password"], user["repositories"][0])
    scrapes, backup = Scrapes(house), Backup(house)
    with Watch() as watch:
        watch.also(inventory.look, EACH_LOOK)
        watch.also(tokens.look, EACH_LOOK)
        watch.also(scrapes.look, EACH_SCRAPE)
        clients = crowd.start(house, seconds, seed)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if backup.process is None and ends - time.monotonic() < seconds / 2:
                backup.start()
            if not house.supervisor.watch(EVERY, lambda: clients.popen.poll() is not None):
                kill = house.supervisor.kill_next(victims)
                print(f"  {time.monotonic() - ends + seconds:5.0f} s  killed {kill.name}: {kill.how}")
        house.supervisor.watch(60, lambda: clients.popen.poll() is not None)
        tokens.given.append(time.time())
        settled = crowd.settle(house, inventory)
        webhooks.settle(house, inventory)
    return report(house, inventory, tokens, scrapes, backup, settled=settled)


def report(
    house: House, inventory: Inventory, tokens: Tokens, scrapes: Scrapes, backup: Backup, *, settled: bool
) -> int:
    said, acts, told = Report(), crowd.acts(house), crowd.told(house)
    kills = house.supervisor.kills
    registry_killed = [kill.at for kill in kills if kill.name == "registry"]
    lost, waits = losses(acts, told, registry_killed), crowd.delays(house, inventory)
    history = written(acts, told, crowd.history(house, inventory))
    how = {act.number: act for act in acts}
    known = [act for act in acts if act.acknowledged]
    answered = [told.at[act.number] - act.began for act in known if act.number in told.at]

    said.head("WHAT CLIENTS DID: pushes under a tag, and deletes")
    asked = Counter("no answer" if not act.status else str(act.status) for act in acts)
    said.fact("asked", f"{len(acts):,}", ", ".join(f"{n:,} {status}" for status, n in sorted(asked.items())))
    said.fact("acknowledged by the registry", f"{len(known):,}")
    in_memory = sum(act.number in told.refused for act in lost.memory)
    said.fact(
        "lost in the registry's memory",
        f"{len(lost.memory):,}",
        f"killed {len(registry_killed)} times; {in_memory:,} of these we had refused",
    )
    said.most("lost otherwise", len(lost.otherwise), 0)
    said.examples(map(crowd.line, lost.otherwise))
    unanswered = sum(number in told.at and not act.acknowledged for number, act in how.items())
    said.fact("told (our 202)", f"{len(told.at):,}", f"{unanswered:,} of which the client was never answered")
    said.fact(
        "from the client's question to our 202",
        f"p99 {percentile(answered, 99):.2f} s",
        f"max {max(answered, default=0):.2f} s",
    )

    said.head("WHAT BECAME OF IT: of each tag that a told act was about")
    never = [how[number] for (number, _tag), wait in waits.items() if wait == float("inf")]
    said.all_of("shown", len(waits) - len(never), len(waits))
    said.examples(map(crowd.line, never))
    good = history.expected - len(history.missing) - len(history.nobodys)
    said.all_of("in the history with who did it", good, history.expected)
    said.most("  told, but missing there", len(history.missing), 0)
    said.examples(map(crowd.line, history.missing))
    deletes = sum(not act.outcome for act in history.nobodys)
    said.most("  there, but nobody's", len(history.nobodys), 0, more=f"{deletes:,} deletes")
    said.examples(map(crowd.line, history.nobodys))
    crowd.times(said, "from our 202 to the inventory", list(waits.values()))
    late = [told.at[number] for (number, _tag), wait in waits.items() if wait > crowd.LATE]
    said.examples(whens(late, kills), most=20)

    scrapes.say(said)
    webhooks.report(said, house, inventory)
    backup.report(said)
    said.head("THE REST")
    said.most(
        "longest time without a token", longest_gap(tokens.given), 5, " s", f"{len(tokens.given):,} given"
    )
    said.fact("what was told is applied", "yes" if settled else f"no, {crowd.SETTLED} s later")
    said.fact("differences before the check", f"{len(crowd.differences(house, inventory)):,}")
    said.equal("a full check after it", crowd.check(house, inventory), "done")
    wrong = crowd.differences(house, inventory)
    said.most("differences from the registry's storage", len(wrong), 0)
    said.examples(crowd.differing(wrong))
    starts = Counter({name: each.starts - 1 for name, each in house.supervisor.kept.items()})
    said.fact("killed / started again", f"{len(kills):,} / {starts.total():,}")
    return said.end()


def whens(late: list[float], kills: list[Kill]) -> list[str]:
    """When events came that were shown late, and who had been killed before."""
    said = []
    begin = kills[0].at - EVERY if kills else 0
    for span in spans(late, crowd.LATE):
        killed = [f"{kill.name} ({kill.how})" for kill in kills if kill.at <= span[0]]
        when = f"from {span[0] - begin:.0f} s to {span[-1] - begin:.0f} s"
        said.append(
            f"{len(span):,} late that came {when}, after the end of {killed[-1] if killed else 'nobody'}"
        )
    return said
