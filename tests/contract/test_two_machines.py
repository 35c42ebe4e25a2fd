"""Two machines, each with all of the panel's processes and a registry: what one of them may miss, and for how long."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.parts import fixtures, images, machines, traffic
from tests.parts.machines import Installation
from tests.parts.traffic import REPOSITORY, Traffic

pytestmark = [pytest.mark.contract, pytest.mark.long]
IMAGE = "namespaces/team/images/app/"
MAILS = 20
SEND = f"""
from django.core.mail import send_mail
for number in range({MAILS}):
    send_mail("Subject", f"number {{number}}.", None, ["known@example.com"])
"""
# Of each digest one tag moved there once; of runs over the registry none began before another had ended.
DONE = """
import json
from collections import Counter
from namespaces.models import TagHistoryEntry
from registry_sync.models import SyncRun
moves = Counter(TagHistoryEntry.objects.values_list("tag", "old", "new"))
runs = list(SyncRun.objects.exclude(started_at=None).order_by("started_at").values_list("started_at", "finished_at"))
beside = [later[0].isoformat() for run, later in zip(runs, runs[1:]) if not run[1] or later[0] < run[1]]
print("DONE", json.dumps([max(moves.values()), len(runs), beside]))
"""
ENOUGH = 8  # answers of each kind


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    fixtures.need(*machines.NEEDED, "caddy")
    fixtures.need("nginx", root=True)
    with machines.running(tmp_path_factory.mktemp("machines")) as made:
        client = traffic.Client(made.url, made.username, made.password, [REPOSITORY])
        traffic.put(client, "fixed", images.Image())
        yield made


@pytest.fixture
def busy(two: Installation) -> Iterator[Traffic]:
    """With clients at work on both proxies."""
    with Traffic(two.fronts, two.username, two.password) as clients:
        two.wait_until(lambda: clients.seen() > ENOUGH, "answers")
        yield clients


def tags(two: Installation) -> dict[str, str]:
    """As the API shows them."""
    return {row["name"]: row["digest"] for row in two.api("GET", f"{IMAGE}-/tags/").get("results", [])}


def done(two: Installation) -> tuple[int, int, list[str]]:
    """How often the same move, how many runs, and when one began beside another."""
    moves, runs, beside = json.loads(two.machines[0].shell(DONE).split("DONE")[1])
    return moves, runs, beside


def shows(two: Installation, clients: Traffic) -> Callable[[], bool]:
    return lambda: clients.acknowledged.items() <= tags(two).items()


def test_both_are_restarted_one_after_the_other_and_no_request_fails(
    two: Installation, busy: Traffic
) -> None:
    for machine in two.machines:
        machine.stop()
        machine.start()
        two.wait_until(machine.answers, "answer")
        before = busy.seen()
        two.wait_until(lambda before=before: busy.seen() > before + ENOUGH, "answers of both")
    busy.__exit__()
    assert busy.wrong() == {}
    two.wait_until(shows(two, busy), "what was pushed")


def test_without_one_machine_clients_and_the_inventory_go_on(two: Installation, busy: Traffic) -> None:
    """It is gone in the middle of everything. What was in its registry's memory is found by a check of the other."""
    two.machines[1].kill()
    two.wait_until(lambda: not two.machines[1].listens(), "end of its servers")
    busy.mark()  # what they were answering in that moment they cannot answer
    before = busy.seen()
    two.wait_until(lambda: busy.seen() > before + ENOUGH, "answers of the other")
    busy.__exit__()
    wrong = busy.wrong()
    assert [name for name in wrong if name.startswith("token")] == [], wrong
    later = busy.wrong(later=True)
    assert all(each.total() == 1 for each in later.values()), (
        later
    )  # of which a proxy has not noticed the end
    two.wait_until(shows(two, busy), "what was pushed")
    two.machines[1].start()
    two.wait_until(two.all_answer, "answer of both")


def test_what_two_of_each_are_asked_to_do_is_done_once(two: Installation) -> None:
    """Two schedules ask for it, and two workers hear of it; one worker is gone in the middle."""
    client = traffic.Client(two.url, two.username, two.password, [REPOSITORY])
    gone = {f"gone-{number}": images.Image(labels={"number": str(number)}) for number in range(6)}
    for tag, image in gone.items():
        traffic.put(client, tag, image)
    two.wait_until(lambda: gone.keys() <= tags(two).keys(), "the tags")
    items = [{"tag": tag, "digest": image.digest} for tag, image in gone.items()]
    asked = two.api("POST", f"{IMAGE}-/removals/", kind="untag", items=items)
    two.machines[0].shell(SEND)
    two.machines[0].kill("worker", "scheduler")
    removal = f"{IMAGE}-/removals/{asked['id']}/"
    two.wait_until(lambda: two.api("GET", removal).get("state") == "done", "removal")
    two.wait_until(lambda: len(two.mail.mails) >= MAILS, "mails")
    two.machines[0].start("worker", "scheduler")
    left = dict[str, str]()
    two.wait_until(lambda: bool(left.update(tags(two)) or left), "tags")
    assert not gone.keys() & left.keys()
    two.wait_until(lambda: done(two)[1] > 1, "a second run")
    moves, _runs, beside = done(two)
    assert (moves, beside) == (1, [])
    assert len({mail.partition("number ")[2] for mail in two.mail.mails}) == len(two.mail.mails) == MAILS


def test_an_upload_goes_on_at_the_other_registry_and_what_is_deleted_is_gone_at_both(
    two: Installation,
) -> None:
    """They sign the state of an upload with one secret, and share what they remember of layers."""
    first, second = (f"http://127.0.0.1:{machine.ports['registry']}" for machine in two.machines)
    client = traffic.Client(first, two.username, two.password, [REPOSITORY])
    image = images.Image(labels={"whose": "both"})
    for blob in (*image.layer_blobs, image.config):
        begun = client.good(client.ask("POST", REPOSITORY, "blobs/uploads/"))
        place = begun.headers["Location"].replace(first, "")
        half = len(blob.content) // 2
        sent = client.good(client.send("PATCH", REPOSITORY, second + place, data=blob.content[:half]))
        rest, digest = sent.headers["Location"].replace(second, ""), {"digest": blob.digest}
        client.good(client.send("PUT", REPOSITORY, first + rest, params=digest, data=blob.content[half:]))
    client.put(REPOSITORY, "both", image.manifest.media_type, image.manifest.content)
    other = traffic.Client(second, two.username, two.password, [REPOSITORY])
    assert other.get(REPOSITORY, image.digest).ok
    client.delete(REPOSITORY, image.digest)
    assert other.get(REPOSITORY, image.digest).status_code == 404


def test_a_word_in_the_environment_makes_a_registry_read_only(two: Installation) -> None:
    """As before garbage collection; it is writable without the word."""
    machine = two.machines[0]
    url = f"http://127.0.0.1:{machine.ports['registry']}"
    client = traffic.Client(url, two.username, two.password, [REPOSITORY])
    read_only = machines.registry_settings(two.store, two.registries_redis, REGISTRY_READ_ONLY="true")
    answers = {}
    for name, settings in {"read-only": read_only, "writable": None}.items():
        machine.stop("registry")
        machine.start("registry", env=settings)
        two.wait_until(machine.answers, "answer of the registry")
        answers[name] = client.ask("POST", REPOSITORY, "blobs/uploads/").status_code
    assert answers == {"read-only": 405, "writable": 202}
