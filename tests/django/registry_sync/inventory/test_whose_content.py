"""Whatever happens in whatever order: what an account's users did not push is never that account's.

Tokens of this world never end and its events come when they like, so that time alone makes nothing right.
"""

import json
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.common.errors import Conflict
from accounts.models import Account, RegistryUser
from accounts.principal import Kind, Principal
from namespaces.access import Level
from namespaces.models import Image, Namespace, RepositoryManifest, ReservedName, Tag
from namespaces.services import namespaces
from registry_sync.client import RegistryClient
from registry_sync.events import views
from registry_sync.events.processor import process_due
from registry_sync.models import Event
from registry_sync.reconcile.run import reconcile
from tests import factories
from tests.django.registry_sync.inventory.properties import PropertyTest, examples
from tests.django.registry_sync.tokens.test_issuer import access, ask
from tests.parts.images import Blob
from tests.parts.model_registry import ModelRegistry

KIND = "application/vnd.oci.image.manifest.v1+json"
BY = Principal(kind=Kind.PERSON, id=1, label="somebody@example.com", address="192.0.2.1")
ACCOUNTS, NAMES = ["red", "blue"], ["one", "two"]
WHO, NAME, NUMBER = st.sampled_from(ACCOUNTS), st.sampled_from(NAMES), st.integers(0, 9)
STEP = st.one_of(
    st.tuples(st.just("create"), WHO, NAME),
    st.tuples(st.just("delete"), NAME),
    st.tuples(st.just("token"), WHO, NAME),
    st.tuples(st.sampled_from(["push", "push_by_digest", "push_blob"]), NUMBER),
    st.tuples(st.just("pull"), NUMBER),
    st.tuples(st.just("wipe"), NAME),
    st.tuples(st.sampled_from(["deliver", "lose"]), NUMBER),
    st.tuples(st.sampled_from(["apply", "reconcile", "hours_pass"])),
)

GONE = [("delete", "one"), ("hours_pass",)]


class World:
    def __init__(self, registry: ModelRegistry, *, adopted: bool) -> None:
        self.registry = registry
        self.accounts: dict[str, Account] = {}
        self.users: dict[str, Any] = {}
        for handle in ACCOUNTS:
            self.accounts[handle] = factories.AccountFactory(handle=handle)
            self.users[handle] = factories.RegistryUserFactory(account=self.accounts[handle])
        self.tokens: list[tuple[str, str]] = []  # (who, repository) that may push, for ever
        self.pushed: dict[str, set[str]] = defaultdict(set)  # repository, or digest → whose content it is
        self.sent: list[dict[str, Any]] = []
        self.count = 0
        if adopted:
            self._push("nobody", "one/app", "1.0", tell=False)
        else:  # as it begins nearly always; chance would rarely come so far
            self.reconcile()
            self.create("red", "one")
            self.token("red", "one")

    # What people and clients do.

    def create(self, who: str, name: str) -> None:
        with suppress(Conflict):
            made = namespaces.create(by=BY, account=self.accounts[who], name=name)
            factories.GrantFactory(user=self.users[who], namespace=made, level=Level.WRITE)

    def delete(self, name: str) -> None:
        found = Namespace.objects.filter(name=name).first()
        if found:
            with suppress(Conflict):
                namespaces.delete(by=BY, namespace=found, confirmation=name)

    def token(self, who: str, name: str) -> None:
        if "push" in self.may(who, f"{name}/app"):
            self.tokens.append((who, f"{name}/app"))

    def may(self, who: str, repository: str) -> list[str]:
        user = RegistryUser.objects.get(account=self.accounts[who])
        _status, body = ask(user, f"repository:{repository}:pull,push", password=self.users[who].password)
        return access(body).get(repository, [])

    def push(self, number: int) -> None:
        if self.tokens:
            self._push(*self.tokens[number % len(self.tokens)], "1.0")

    def push_by_digest(self, number: int) -> None:
        if self.tokens:
            self._push(*self.tokens[number % len(self.tokens)], "")

    def push_blob(self, number: int) -> None:
        """Nothing lists it, and nobody tells of it; who may pull here can read it."""
        if self.tokens:
            who, repository = self.tokens[number % len(self.tokens)]
            self.pushed[repository].add(who)

    def pull(self, number: int) -> None:
        if self.tokens:
            who, repository = self.tokens[number % len(self.tokens)]
            self._tell("pull", who, repository, tag="1.0")

    def wipe(self, name: str) -> None:
        """Deletes its manifests, so that the namespace can go; blobs stay."""
        for digest in list(self.registry.held.get(f"{name}/app", ())):
            self.registry.delete(f"{name}/app", digest)

    def _push(self, who: str, repository: str, tag: str, *, tell: bool = True) -> None:
        self.count += 1
        blob = Blob(KIND, json.dumps({"n": self.count}).encode())
        self.pushed[repository].add(who)
        self.pushed[blob.digest].add(who)
        self.registry.hold(repository, KIND, blob.digest, blob.content)
        if tag:
            self.registry.push(repository, tag, KIND, blob.digest, blob.content)
        if tell:
            self._tell("push", who, repository, digest=blob.digest, **({"tag": tag} if tag else {}))

    def _tell(self, action: str, who: str, repository: str, **target: str) -> None:
        self.count += 1
        self.sent.append(
            {
                "id": f"event{self.count}",
                "action": action,
                "timestamp": datetime.now(UTC).isoformat(),
                "actor": {"name": self.users[who].username},
                "target": {"mediaType": KIND, "repository": repository, **target},
            }
        )

    # What becomes of the events, and what the worker does.

    def deliver(self, number: int) -> None:
        if self.sent:
            event = self.sent.pop(number % len(self.sent))
            views.store_events(json.dumps({"events": [event]}).encode(), timezone.now())

    def lose(self, number: int) -> None:
        if self.sent:
            self.sent.pop(number % len(self.sent))

    def apply(self) -> None:
        Event.objects.exclude(due_at=None).update(due_at=timezone.now())
        process_due(self._client())

    def reconcile(self) -> None:
        reconcile(self._client())

    def hours_pass(self) -> None:
        ReservedName.objects.exclude(until=None).update(until=timezone.now() - timedelta(hours=1))

    def _client(self) -> RegistryClient:
        return RegistryClient(self.registry.url, lambda *_scope: "token")

    # What must be true at any time.

    def check(self) -> None:
        for image in Image.objects.select_related("namespace__account"):
            whose = image.namespace.account.handle
            assert self.pushed[image.repository] <= {whose}, (image.repository, whose)
        for rows in (Tag.objects, RepositoryManifest.objects):
            for row in rows.select_related("image__namespace__account"):
                assert self.pushed[row.manifest_id] == {row.image.namespace.account.handle}
        for name in NAMES:
            for who in ACCOUNTS:
                if self.may(who, f"{name}/app"):
                    assert self.pushed[f"{name}/app"] <= {who}, (name, who)


class WhoseContent(PropertyTest):
    @example(True, [("create", "blue", "one"), ("reconcile",)])
    @example(False, [*GONE, ("push", 0), ("create", "blue", "one"), ("reconcile",)])
    @example(False, [*GONE, ("create", "blue", "one"), ("push", 0), ("deliver", 0), ("apply",)])
    @example(False, [*GONE, ("push_by_digest", 0), ("deliver", 0), ("apply",), ("create", "blue", "one")])
    @example(False, [*GONE, ("push_blob", 0), ("create", "blue", "one")])
    @example(False, [("push_blob", 0), *GONE, ("create", "blue", "one")])
    @example(False, [("push", 0), *GONE, ("reconcile",), ("create", "blue", "one"), ("reconcile",)])
    @settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.booleans(), st.lists(STEP, max_size=20))
    def test_is_of_who_pushed_it(self, adopted: bool, steps: list[tuple[Any, ...]]) -> None:
        world = World(self.registry, adopted=adopted)
        for step in steps:
            getattr(world, step[0])(*step[1:])
            world.check()
