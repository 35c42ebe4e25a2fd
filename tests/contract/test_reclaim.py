"""`manage.py reclaim --run` beside `make run`, with both generations of the registry: promised, freed, never unsafe.

What frees it is the registry's own garbage collection, behind a script that says when it begins and can hold it.
"""

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess, run
from urllib.parse import urljoin

import pytest
import requests

from manager.demo import push_client
from manager.demo.push_client import Pusher, PushError
from registry_sync.reclaim import storage
from tests.parts import processes, registries, team
from tests.parts.processes import Running

pytestmark = [pytest.mark.contract, pytest.mark.long]

HOLDING = """#!/bin/sh
case "$1 $2" in
  "garbage-collect --dry-run") ;;
  "garbage-collect "*)
    trap 'exit 1' TERM
    touch "${{COLLECTION_BEGUN:-/dev/null}}"
    while [ -e "${{COLLECTION_HELD:-/none}}" ]; do sleep 0.05; done ;;
esac
exec {binary} "$@"
"""
TAGS = """
from accounts.models import Person
from accounts.views.request import principal_for
from namespaces.models import Image
from registry_sync.deletion import service
image = Image.objects.select_related("namespace__account").get(name="app")
tags = {tags!r}
shown = service.preview(image, tags=tags).preview_digest
by = principal_for(Person.objects.get(), {{}})
service.delete(by=by, image=image, tags=tags, digests=(), preview_digest=shown, confirmation="app")
"""
DELETE = """
from registry_sync.panel_client import registry_client
registry_client().delete({repository!r}, {digest!r})
"""
ENDED = "from registry_sync.models import Removal; print(Removal.objects.exclude(due_at=None).count())"
CHECKED = "from registry_sync.models import SyncRun as s; print(s.objects.filter(state='done').count())"
LAST = """
from registry_sync.inventory import uncollected
from registry_sync.models import Reclaim
row = Reclaim.objects.first()
print(row.state, row.promised_bytes, row.freed_bytes, row.missing, uncollected.total().size_bytes, row.problem)
"""
STEPS = [
    "Waiting for pushes",
    "registry read-only",
    "Collecting garbage",
    "registry writable",
    "nothing is missing",
]


@dataclass
class House:
    """A `make run`, and its registry's user."""

    environment: dict[str, str]
    running: Running
    version: str
    username: str = ""
    password: str = ""

    @property
    def data(self) -> Path:
        return Path(self.environment["DATA_DIR"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['REGISTRY_PORT']}"

    def pusher(self, repository: str = "team/app") -> Pusher:
        return Pusher(self.url, repository, self.username, self.password)

    def shell(self, code: str) -> str:
        return team.shell(self.environment, code).strip()

    def stored(self) -> int:
        return storage.total_bytes(self.data / "registry")

    def delete(self, *tags: str) -> None:
        self.running.wait_until(lambda: self.knows(tags), "tags in the inventory")
        self.shell(TAGS.format(tags=tags))
        self.running.wait_until(lambda: self.shell(ENDED) == "0", "end of the deletion")

    def knows(self, tags: tuple[str, ...]) -> bool:
        code = "from namespaces.models import Tag; print(*Tag.objects.values_list('name', flat=True))"
        return {*tags} <= {*self.shell(code).split()}

    def holds(self, digest: str) -> bool:
        code = f"print(RepositoryManifest.objects.filter(manifest={digest!r}, gone_at=None).count())"
        return self.shell(f"from namespaces.models import RepositoryManifest; {code}") == "1"

    def refuses_writes(self) -> bool:
        return self._answer_to_a_write() == 405

    def takes_writes(self) -> bool:
        return self._answer_to_a_write() == 400

    def _answer_to_a_write(self) -> int:
        try:
            pusher = self.pusher()
            return pusher.session.put(f"{pusher.base}/manifests/none", timeout=120).status_code
        except (PushError, requests.RequestException):  # it restarts
            return 0

    def reclaim(self, *options: str) -> CompletedProcess[str]:
        command = [sys.executable, "manage.py", "reclaim", *options]
        return run(command, env=self.environment, check=False, capture_output=True, text=True)

    def may_reclaim(self) -> bool:
        """Whether no other holds the lease, which one that was killed keeps for a while, and no check has failed.

        One fails that meets a registry that is restarted; the next one comes soon.
        """
        said = self.reclaim()
        return not re.search(
            "Another `manage.py reclaim` runs|The inventory is not known to be true",
            said.stdout + said.stderr,
        )

    def run_reclaim(self, *options: str) -> CompletedProcess[str]:
        self.running.wait_until(self.may_reclaim, "end of the lease, and a check that succeeded")
        return self.reclaim("--run", *options)

    def reclaiming(self, folder: Path, *options: str, held: bool = False) -> Running:
        """`held`: its collection goes on once the file `held` is gone from the folder."""
        self.running.wait_until(self.may_reclaim, "end of the lease, and a check that succeeded")
        holder = folder / "held"
        if held:
            holder.touch()
        command = [sys.executable, "manage.py", "reclaim", "--run", *options]
        more = {
            "COLLECTION_BEGUN": str(folder / "begun"),
            "COLLECTION_HELD": str(holder),
            "PYTHONUNBUFFERED": "1",
        }
        return processes.start("reclaim", command, log=folder / "reclaim.log", env=self.environment | more)

    def collecting(self, folder: Path, *options: str) -> Running:
        """A command whose collection has begun (it says so a moment before), and goes on once `held` is gone."""
        reclaim = self.reclaiming(folder, *options, held=True)
        reclaim.wait_until((folder / "begun").exists, "collection")
        return reclaim


def start(environment: dict[str, str], log: Path) -> Running:
    running = processes.start("make run", [sys.executable, "manage.py", "run"], log=log, env=environment)
    running.wait_until(lambda: "ready:" in log.read_text(), "say ready")
    return running


@pytest.fixture(scope="module", params=registries.VERSIONS)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    try:
        binary = registries.binary(request.param)
    except FileNotFoundError:
        pytest.skip(f"no registry {request.param}")
    folder = tmp_path_factory.mktemp("house")
    program = folder / "bin" / "registry"
    program.parent.mkdir()
    program.write_text(HOLDING.format(binary=binary))
    program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in ("SECRETS_DIR", "DATABASE_URL")}
    path = f"{program.parent}:{kept['PATH']}"
    environment = kept | processes.ports() | {"DATA_DIR": str(folder / "data"), "PATH": path}
    team.put_database(environment)
    made = House(environment, start(environment, folder / "run.log"), request.param)
    made.username, made.password, _token = team.make(environment)
    yield made
    made.running.stop()


def image(pusher: Pusher, *layers: str, tags: tuple[str, ...] = ()) -> dict[str, object]:
    config = pusher.blob(push_client.CONFIG, " ".join(layers).encode())
    pushed = [pusher.blob(push_client.LAYER, layer.encode() * 100) for layer in layers]
    document = {"schemaVersion": 2, "mediaType": push_client.MANIFEST, "config": config, "layers": pushed}
    return pusher.manifest(document, *tags)


def signature_of(pusher: Pusher, subject: dict[str, object]) -> str:
    """Push what is about an image as a registry with the referrers API is given it: under no tag."""
    config = pusher.blob(push_client.CONFIG, b"signature")
    document = {"schemaVersion": 2, "mediaType": push_client.MANIFEST, "config": config, "layers": [],
                "subject": subject}  # fmt: skip
    return str(pusher.manifest(document)["digest"])


def is_whole(pusher: Pusher, reference: str) -> bool:
    """As a client pulls it, to the last layer."""
    types = {"Accept": f"{push_client.INDEX}, {push_client.MANIFEST}"}
    answer = pusher.session.get(f"{pusher.base}/manifests/{reference}", headers=types, timeout=120)
    if not answer.ok:
        return False
    document = answer.json()
    if "manifests" in document:
        return all(is_whole(pusher, each["digest"]) for each in document["manifests"])
    for blob in (document["config"], *document["layers"]):
        got = pusher.session.get(f"{pusher.base}/blobs/{blob['digest']}", timeout=120)
        if not got.ok or push_client.descriptor("", got.content)["digest"] != blob["digest"]:
            return False
    return True


def test_what_is_promised_is_freed_to_the_byte_and_all_else_is_there(house: House) -> None:
    house.run_reclaim()  # what tests before this one left: in any order, of some the command was killed
    app, lib = house.pusher(), house.pusher("team/lib")
    image(app, "base", "one", tags=("1",))
    image(app, "base", "two", tags=("2",))
    image(lib, "shared", tags=("1",))
    image(app, "shared", "three", tags=("3",))
    moved = image(app, "old", tags=("moved",))
    image(app, "new", tags=("moved",))
    platforms = [image(app, "base", name) for name in ("amd", "arm")]
    index = {"schemaVersion": 2, "mediaType": push_client.INDEX, "manifests": platforms}
    app.manifest(index, "multi", "also")
    app.blob(push_client.LAYER, b"without an image")
    house.delete("1", "3")
    before = house.stored()

    house.running.wait_until(house.may_reclaim, "check that succeeded")
    planned = house.reclaim()
    assert planned.returncode == 0, planned.stdout + planned.stderr
    found = re.search(r"would free .*\(([0-9,]+) bytes\) in ([0-9]+) blobs", planned.stdout)
    assert found
    promised = int(found[1].replace(",", ""))
    # Two manifests and configs, layers one and three, and the blob without an image.
    assert int(found[2]) == 7
    assert house.stored() == before

    done = house.run_reclaim()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as promised" in done.stdout
    assert "None is missing" in done.stdout
    assert before - house.stored() == promised
    assert house.shell(LAST).split() == ["done", str(promised), str(promised), "0", "0"]
    assert all(is_whole(app, tag) for tag in ("2", "moved", "multi", "also"))
    assert is_whole(lib, "1")
    assert is_whole(app, str(moved["digest"]))  # what history can bring back
    image(app, "base", "one", tags=("1",))
    assert is_whole(app, "1")  # the registry has not kept in mind what it has no longer
    assert "Nothing" not in house.reclaim("--verify").stdout


def test_untagged_images_go_only_when_asked_for_and_only_with_the_newer_registry(house: House) -> None:
    app = house.pusher()
    platforms = [image(app, "base", name) for name in ("untagged amd", "untagged arm")]
    index = {"schemaVersion": 2, "mediaType": push_client.INDEX, "manifests": platforms}
    still = app.manifest(index, "still")
    replaced = str(image(app, "replaced", tags=("moves",))["digest"])
    image(app, "newer", tags=("moves",))
    house.running.wait_until(lambda: house.knows(("still", "moves")), "tags in the inventory")
    done = house.run_reclaim("--delete-untagged")
    if house.version == "2.8":
        assert done.returncode == 1
        assert "--delete-untagged needs Distribution 3" in done.stdout
        assert is_whole(app, replaced)
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert not is_whole(app, replaced)
        signature = signature_of(app, still)
        house.running.wait_until(lambda: house.holds(signature), "signature in the inventory")
        done = house.run_reclaim("--delete-untagged")
        assert f"team/app@{signature}. Give these a tag each" in done.stdout
        assert is_whole(app, signature)
        gone = "from namespaces.models import RepositoryManifest as R; print(R.objects.get(manifest={!r}).gone_at)"
        assert house.shell(gone.format(replaced)) != "None"
    assert is_whole(app, "still")
    assert is_whole(app, "moves")


def test_layers_that_another_repository_needs_stop_a_collection_of_untagged_images(house: House) -> None:
    """Distribution 3 would delete them (findings/distribution-gc-untagged-deletes-layers-in-use.sh)."""
    first, other = house.pusher("team/first"), house.pusher("team/other")
    for pusher in (first, other):
        platform = image(pusher, "in both")
        index = {"schemaVersion": 2, "mediaType": push_client.INDEX, "manifests": [platform]}
        pusher.manifest(index, "both")
    digest = str(platform["digest"])
    house.running.wait_until(lambda: house.knows(("both",)), "tags in the inventory")
    house.shell(DELETE.format(repository="team/first", digest=digest))
    house.running.wait_until(lambda: house.holds(digest), "the deletion in the inventory")
    done = house.run_reclaim("--delete-untagged")
    assert done.returncode == 1, done.stdout + done.stderr
    needed = "team/other@sha256:" if house.version != "2.8" else "--delete-untagged needs Distribution 3"
    assert needed in done.stdout
    assert is_whole(other, "both")
    image(first, "in both")  # for the tests after this one


def test_a_push_at_the_wrong_moment_is_refused_or_whole(house: House, tmp_path: Path) -> None:
    app = house.pusher()
    image(app, "doomed", tags=("doomed",))
    house.delete("doomed")
    # What a client does that was told of a layer before it went: it puts the manifest, and not the layer.
    config = app.blob(push_client.CONFIG, b"late")
    late = {"schemaVersion": 2, "mediaType": push_client.MANIFEST, "config": config,
            "layers": [app.blob(push_client.LAYER, b"doomed" * 100)]}  # fmt: skip
    over, pushed, refused = threading.Event(), [], []

    def push_all_the_while() -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                image(house.pusher(), "doomed", f"layer {number}", tags=(f"w{number}",))
                pushed.append(f"w{number}")
            except (PushError, requests.RequestException) as error:
                refused.append(str(error))

    pushing = threading.Thread(target=push_all_the_while)
    pushing.start()
    try:
        house.running.wait_until(lambda: bool(pushed), "push")
        reclaim = house.collecting(tmp_path, "--wait", "0")
        house.running.wait_until(lambda: any("405" in each for each in refused), "refused push")
        (tmp_path / "held").unlink()
        code = reclaim.popen.wait(processes.PATIENCE)
    finally:
        over.set()
        pushing.join()
    assert code == 0, reclaim.log_end()
    app = house.pusher()
    assert [tag for tag in pushed if not is_whole(app, tag)] == []
    try:
        app.manifest(late, "late")
    except PushError:
        assert not is_whole(app, "late")
    else:
        assert is_whole(app, "late")


def test_a_deletion_while_a_push_is_waited_for_is_carried_out_before(house: House, tmp_path: Path) -> None:
    app = house.pusher()
    app.blob(push_client.LAYER, b"without an image, before a late deletion")
    gone = image(app, "asked for late", tags=("late",))
    house.running.wait_until(lambda: house.knows(("late",)), "tag in the inventory")
    with app.session.post(f"{app.base}/blobs/uploads/", timeout=120) as begun:
        upload = urljoin(begun.url, begun.headers["Location"])
    over = threading.Event()

    def push_slowly() -> None:
        sent, place = 0, upload
        while not over.wait(1):
            with house.pusher().session.patch(
                place, b"x", headers={"Content-Range": f"{sent}-{sent}"}, timeout=120
            ) as taken:
                place, sent = urljoin(place, taken.headers["Location"]), sent + 1

    pushing = threading.Thread(target=push_slowly)
    pushing.start()
    try:
        reclaim = house.reclaiming(tmp_path)
        reclaim.wait_until(lambda: "Waiting for pushes" in reclaim.log_end(), "wait for the push")
        checked = int(house.shell(CHECKED))
        house.delete("late")
        # Else the inventory would not be known to be true after a long push, and nothing be collected.
        house.running.wait_until(lambda: int(house.shell(CHECKED)) > checked, "check of the registry")
    finally:
        over.set()
        pushing.join()
    assert reclaim.popen.wait(processes.PATIENCE) == 0, reclaim.log_end()
    assert "as promised" in reclaim.log_end()
    assert not is_whole(app, str(gone["digest"]))


@pytest.mark.parametrize("step", STEPS)
def test_wherever_it_is_killed_the_registry_takes_pushes_again(
    house: House, tmp_path: Path, step: str
) -> None:
    house.pusher().blob(push_client.LAYER, step.encode())
    collecting = step == "Collecting garbage"
    reclaim = house.collecting(tmp_path) if collecting else house.reclaiming(tmp_path)
    reclaim.wait_until(lambda: step in reclaim.log_end(), step)
    reclaim.popen.kill()
    reclaim.popen.wait()
    if collecting:
        assert house.refuses_writes()  # the collection that it started still runs
        (tmp_path / "held").unlink()
    house.running.wait_until(house.takes_writes, "writable registry")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_that_it_runs_and_ended_by_a_signal_it_says_what_stands(
    house: House, tmp_path: Path, number: signal.Signals
) -> None:
    image(house.pusher(), "kept", tags=("kept",))
    house.pusher().blob(push_client.LAYER, b"ended")
    reclaim = house.collecting(tmp_path)
    reclaim.popen.send_signal(number)
    assert reclaim.popen.wait(processes.PATIENCE) == 1
    assert "The command was ended. Some of the space may be free already." in reclaim.log_end()
    assert "push and pull fail" not in reclaim.log_end()  # that it restarts then is meant
    assert "Traceback" not in reclaim.log_end()
    assert house.shell(LAST).startswith("stopped")
    (tmp_path / "held").unlink()
    house.running.wait_until(house.takes_writes, "writable registry")
    done = house.run_reclaim()
    assert done.returncode == 0, done.stdout + done.stderr
    assert is_whole(house.pusher(), "kept")


def test_a_new_run_waits_until_the_collection_of_the_last_one_has_ended(house: House, tmp_path: Path) -> None:
    house.pusher().blob(push_client.LAYER, b"outlived")
    reclaim = house.collecting(tmp_path)
    house.running.popen.kill()
    house.running.popen.wait()
    reclaim.popen.kill()
    reclaim.popen.wait()
    house.running = start(house.environment, tmp_path / "run.log")
    assert house.refuses_writes()
    (tmp_path / "held").unlink()
    house.running.wait_until(house.takes_writes, "writable registry")
    done = house.run_reclaim()
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_at_once_and_none_without_make_run(house: House, tmp_path: Path) -> None:
    house.pusher().blob(push_client.LAYER, b"twice")
    first = house.collecting(tmp_path)
    second = house.reclaim("--run")
    assert (second.returncode, second.stderr) == (1, "CommandError: Another `manage.py reclaim` runs.\n")
    first.popen.terminate()
    assert first.popen.wait(processes.PATIENCE) == 1
    house.running.stop()
    assert "`make run` does not run on" in house.reclaim("--run").stderr
    house.running = start(house.environment, tmp_path / "run.log")
