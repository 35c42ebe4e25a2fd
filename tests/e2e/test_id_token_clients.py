"""Every client, through the whole standalone set, with the ID token of a CI job in place of a password.

No password is stored for who pushes here. The issuer is real: it signs, publishes its keys, rotates them and dies.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import requests

from accounts.client_commands import Example, Registry
from accounts.id_tokens.job_texts import Login, exchange_text
from accounts.id_tokens.verification import LEEWAY
from manager.server.key_waits import LONGEST
from tests.e2e.conftest import Installation, standalone
from tests.parts import fixtures, id_token_claims, images, processes, team
from tests.parts.clients import Client
from tests.parts.id_token_claims import OWNER_ID, REPOSITORY_ID, Claims
from tests.parts.id_token_issuer import LIFETIME, IdTokenIssuer, SigningKey
from tests.parts.push_clients import Buildctl, Crane, Docker, Helm, Oras, PushClient, Skopeo

pytestmark = pytest.mark.clients
Used = TypeVar("Used")
SIZE = 2500  # bytes: more than GitHub's largest
ENDED = "This ID token ended"
SHOWS_THE_SENTENCE = {Docker, Buildctl, Crane, Oras, Helm}
RULES = {"repository_id": {"is": [REPOSITORY_ID]}, "repository_owner_id": {"is": [OWNER_ID]}}

# These run inside the installation; the first through the same services as the pages.
WORLD = """
import json
from accounts.models import IdTokenIssuer, Person
from accounts.views.request import principal_for
from accounts.services import accounts, trust_policies, users
from namespaces.services import grants, namespaces
by = principal_for(Person.objects.create_user("jobs@example.com"), {})
account = accounts.open_account(by=by, name="Jobs")
space = namespaces.create(by=by, account=account, name="jobs")
names = []
for url in json.loads(%r):
    issuer = IdTokenIssuer.objects.create(url=url, preset="github")
    user, _none = users.create(by=by, account=account, description="CI", expires_at=None, with_password=False)
    grants.give(by=by, namespace=space, user=user, level="write")
    trust_policies.create(by=by, user=user, issuer=issuer, rules=json.loads(%r))
    names.append(user.username)
user, password = users.create(by=by, account=account, description="Ada", expires_at=None)
grants.give(by=by, namespace=space, user=user, level="write")
print("MADE", *names, user.username, password)
"""
PASSWORDS = """
from accounts.models import Secret
print("FOUND", Secret.objects.filter(user__username=%r, policy=None).count())  # but what was swapped
"""
DENIED = """
from accounts.models import Denial
print("FOUND", Denial.objects.filter(user__username=%r, repository=%r, action="push").count())
"""
# A minute passes between two looks at an issuer's keys.
A_MINUTE_PASSES = """
from datetime import timedelta
from django.db.models import F
from accounts.models import IdTokenIssuer
minute = timedelta(minutes=1)
moments = {name: F(name) - minute for name in ("asked_at", "tried_at", "jwks_at", "next_try_at")}
IdTokenIssuer.objects.filter(url=%r).update(**moments)
"""


@dataclass(frozen=True)
class Job:
    """What a CI job knows: who it is at the registry, and where its ID tokens come from."""

    installation: Installation
    issuer: IdTokenIssuer
    username: str

    def token(self, claims: Claims | None = None, *, age: float = 0, key: SigningKey | None = None) -> str:
        given = id_token_claims.github_with_ids() if claims is None else claims
        return self.issuer.sign(given, audience=self.installation.panel, size=SIZE, age=age, key=key)

    def ask(self, password: str, scope: str | None = None) -> requests.Response:
        """Ask as docker login does, or for a scope."""
        url = f"{self.installation.panel}/auth/token"
        asked = {"service": self.installation.registry, "scope": scope}
        return requests.get(url, params=asked, auth=(self.username, password), timeout=120)

    def tags(self, repository: str) -> list[str]:
        """What the registry lists."""
        token = self.ask(self.token(), f"repository:{repository}:pull").json()["token"]
        url = f"http://{self.installation.registry}/v2/{repository}/tags/list"
        listed = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=120).json()["tags"]
        return sorted(listed)

    def denied_pushes(self, repository: str) -> int:
        told = team.shell(environment(self.installation), DENIED % (self.username, repository))
        return int(told.split("FOUND ")[1])

    def a_minute_passes(self) -> None:
        team.shell(environment(self.installation), A_MINUTE_PASSES % self.issuer.url)


def environment(installation: Installation) -> dict[str, str]:
    return {**os.environ, **installation.environment}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def issuers(folder: Path) -> Iterator[list[IdTokenIssuer]]:
    """The one of all tests; one whose keys rotate; and one that dies. All have the same authority."""
    made = [IdTokenIssuer(folder / "issuer") for _each in range(3)]
    yield made
    for issuer in made:
        issuer.stop()


@dataclass(frozen=True)
class World:
    """`jobs`: the username of each issuer's jobs. `person`: a user with a password."""

    installation: Installation
    jobs: list[str]
    person: tuple[str, str]


@pytest.fixture(scope="module")
def world(folder: Path, issuers: list[IdTokenIssuer]) -> Iterator[World]:
    more = {"ISSUER_NETWORKS": "127.0.0.0/8", "SSL_CERT_FILE": str(issuers[0].authority)}
    with standalone(folder, more) as installation:
        urls = json.dumps([issuer.url for issuer in issuers])
        told = team.shell(environment(installation), WORLD % (urls, json.dumps(RULES)))
        *names, person, password = told.split("MADE ")[1].split()
        yield World(installation, names, (person, password))


@pytest.fixture(scope="module")
def jobs(world: World, issuers: list[IdTokenIssuer]) -> list[Job]:
    """Once the worker has fetched the keys of their issuers, as it does for each that a policy trusts."""
    pairs = zip(issuers, world.jobs, strict=True)
    made = [Job(world.installation, issuer, username) for issuer, username in pairs]
    for job in made:
        until(lambda job=job: job.ask(job.token()).status_code == 200, "keys")
    return made


@pytest.fixture(scope="module")
def job(jobs: list[Job]) -> Job:
    return jobs[0]


def until(ready: Callable[[], bool], what: str) -> None:
    """Ask again and again: what is waited for is done by other processes."""
    end = time.monotonic() + processes.PATIENCE
    while not ready():
        assert time.monotonic() < end, what


def while_it_holds(job: Job, use: Callable[[str], Used]) -> tuple[str, Used]:
    """A token that is about to end, and what came of its use before: one that lives longer where it may be too late."""
    for seconds in (3, 15, LEEWAY - 5):
        token = job.token(age=LIFETIME + LEEWAY - seconds)
        used = use(token)
        if job.ask(token).status_code == 200:
            break
    return token, used


def named(client: PushClient) -> str:
    return f"jobs/{type(client).__name__.lower()}"


def test_a_job_signs_in_pushes_and_pulls(job: Job, push_client: Callable[[str], PushClient]) -> None:
    client = push_client(job.installation.registry)
    for step in (
        client.login(job.username, job.token()),
        client.push(f"{named(client)}:1.0.0"),
        client.pull(f"{named(client)}:1.0.0"),
    ):
        assert step.ok, step.printed
    assert "FOUND 0" in team.shell(environment(job.installation), PASSWORDS % job.username)


def test_a_pull_request_pulls_and_does_not_push(job: Job, push_client: Callable[[str], PushClient]) -> None:
    """The registry refuses, in its own words; ours are in Denied requests."""
    client = push_client(job.installation.registry)
    name = f"{named(client)}-pulled:1.0.0"
    client.login(job.username, job.token())
    assert client.push(name).ok
    signed_in = client.login(job.username, job.token(id_token_claims.github_pull_request()))
    assert signed_in.ok, signed_in.printed
    refused = client.push(name.replace("1.0.0", "2.0.0"))
    assert not refused.ok, refused.printed
    # What it printed proves nothing: ctr tells at times of its closed pipe alone.
    repository = name.removesuffix(":1.0.0")
    assert job.tags(repository) == ["1.0.0"]
    assert client.pull(name).ok
    until(lambda: job.denied_pushes(repository) >= 1, "a denied request")


def test_a_token_that_ends_before_the_push(job: Job, push_client: Callable[[str], PushClient]) -> None:
    """As of a long build that signs in at its start. It holds a minute longer than it says."""
    client = push_client(job.installation.registry)
    token, login = while_it_holds(job, lambda token: client.login(job.username, token))
    assert login.ok, login.printed
    until(lambda: job.ask(token).status_code == 401, "an end")
    refused = client.push(f"{named(client)}:2.0.0")
    assert not refused.ok
    expected = ENDED if type(client) in SHOWS_THE_SENTENCE else "nauthorized"
    assert expected in refused.printed, refused.printed


def test_a_swapped_token_outlives_itself(job: Job, docker: Client, tmp_path: Path) -> None:
    """By the script that the user's page shows, begun before the token ends and used after that."""
    fixtures.need("curl")
    registry = job.installation.registry
    login = Login(Registry(registry), job.username, job.installation.panel, Example())
    ((_words, script),) = exchange_text(login, job.installation.panel)

    def run(token: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", script],
            env={**docker.env, "ID_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )

    token, done = while_it_holds(job, run)
    assert "Login Succeeded" in done.stdout, done.stderr
    until(lambda: job.ask(token).status_code == 401, "an end")
    target = f"{registry}/jobs/swapped:1"
    docker("load", "--input", images.write_docker_tar(tmp_path / "image.tar", images.Image(), target))
    docker("push", target)


def test_new_keys_are_there_in_a_moment(jobs: list[Job], push_client: Callable[[str], PushClient]) -> None:
    """The first token with an unknown key waits for it, as most clients do not ask again where they are told to."""
    job = jobs[1]
    client = push_client(job.installation.registry)
    client.login(job.username, job.token())

    def pushes_at_once() -> bool:
        job.issuer.keys = [SigningKey.make(f"for {type(client).__name__} at {time.monotonic()}")]
        job.a_minute_passes()
        fresh, began = job.token(), time.monotonic()
        for step in (client.login(job.username, fresh), client.push(f"{named(client)}:3.0.0")):
            # Nobody waits longer than LONGEST for a worker that is slower.
            assert step.ok or time.monotonic() - began >= LONGEST, step.printed
            if not step.ok:
                return False
        return True

    until(pushes_at_once, "a push with new keys")


def test_a_flood_of_unknown_keys_delays_nobody_else(world: World, jobs: list[Job], tmp_path: Path) -> None:
    """They wait for keys that nobody has; the last of a network not at all."""
    fixtures.need(*Skopeo.parts)
    job = jobs[1]
    strange = job.token(key=SigningKey.make("strange"))
    with ThreadPoolExecutor(max_workers=20) as pool:
        job.a_minute_passes()
        flood = [pool.submit(job.ask, strange) for _each in range(60)]
        pushes(job.installation, world.person, tmp_path / "person")
        assert {each.result().status_code for each in flood} <= {401, 429, 503}


def test_a_dead_issuer_stops_nobody_else(world: World, jobs: list[Job], tmp_path: Path) -> None:
    """Its users push with the keys that are known. With others they are refused, and told why."""
    fixtures.need(*Skopeo.parts)
    job = jobs[2]
    job.issuer.stop()
    pushes(job.installation, (job.username, job.token()), tmp_path / "known")
    strange = job.token(key=SigningKey.make("strange"))
    job.a_minute_passes()
    assert job.ask(strange).status_code == 503

    def refused() -> bool:
        job.a_minute_passes()
        return job.ask(strange).status_code == 401

    until(refused, "an end of trying")
    assert "key" in job.ask(strange).text
    pushes(job.installation, (jobs[0].username, jobs[0].token()), tmp_path / "another job")
    pushes(job.installation, world.person, tmp_path / "person")


def pushes(installation: Installation, who: tuple[str, str], folder: Path) -> None:
    client = Skopeo(installation.registry, folder)
    for step in (client.login(*who), client.push("jobs/one:1")):
        assert step.ok, step.printed
