"""What webhooks were told, beside the history: no move without a message, and no message without a move."""

from collections import Counter
from typing import Any

from tests.load.soak import crowd
from tests.load.soak.house import House
from tests.load.soak.report import Report
from tests.load.soak.tally import percentile
from tests.load.soak.watch import Inventory

ARRIVED = 120  # seconds for what waits at the end
WAITING = "select count(*) from namespaces_webhookdelivery where state = 'waiting'"
# What a check finds new is told when its event comes, and is then no longer `found`.
MOVES = """
select n.name || '/' || i.name, h.tag, h.new, extract(epoch from d.created_at), d.message_id
from namespaces_taghistoryentry h
join namespaces_image i on i.id = h.image_id join namespaces_namespace n on n.id = i.namespace_id
left join namespaces_webhookdelivery d on d.history_id = h.id
where not (h.how = 'found' and h.old = '') and n.name <> 'odd' and h.tag not like 'sha256-%'
"""
Key = tuple[str, str, str]


def settle(house: House, inventory: Inventory) -> bool:
    return house.supervisor.watch(ARRIVED, lambda: inventory.rows(WAITING)[0][0] == 0)


def report(said: Report, house: House, inventory: Inventory) -> None:
    heard = crowd.lines(house.folder / "heard.jsonl")
    moves = inventory.rows(MOVES)
    first: dict[str, tuple[float, Key]] = {}
    for each in heard:
        if each["status"] < 300:
            first.setdefault(each["event"]["id"], (each["at"], _key(each["event"]["data"])))
    told = Counter(key for _at, key in first.values())
    there = Counter((repository, tag, new) for repository, tag, new, *_rest in moves)
    lost, invented = there - told, told - there
    said.head("WEBHOOKS: of each move in the history, one message that arrived")
    said.all_of("arrived", sum((there & told).values()), there.total())
    said.most("  lost", lost.total(), 0)
    said.examples(map(_line, lost))
    said.most("  invented", invented.total(), 0)
    said.examples(map(_line, invented))
    refused = sum(each["status"] > 300 for each in heard)
    again = len(heard) - refused - len(first)
    said.fact(
        "requests", f"{len(heard):,}", f"{refused:,} refused here, {again:,} arrived again with their id"
    )
    ids = {f"msg_{message.hex}": float(at) for *_move, at, message in moves if message}
    waits = [at - ids[one] for one, (at, _key_of) in first.items() if one in ids]
    said.fact("from the history to the receiver p50", f"{percentile(waits, 50):.2f} s")
    said.fact("from the history to the receiver p99", f"{percentile(waits, 99):.2f} s")


def _key(data: dict[str, Any]) -> Key:
    return data["repository"], data["tag"], data["digest"] or ""


def _line(key: Key) -> str:
    repository, tag, digest = key
    return f"{repository}:{tag} {digest[:19] or 'deleted'}"
