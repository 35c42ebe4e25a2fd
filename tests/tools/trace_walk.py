"""Print the files that one real request passes through, in the order in which a reader would open them.

    .venv/bin/python -m tests.tools.trace_walk [--short] [token] [event] [grant] [removal] [image]

A function counts when it is first called. A stop is a change of file between two such calls; a return is a stop in a
file that was open before. So a helper that is called a hundred times is one stop, and a file whose second half is
needed later is a return. Middleware, signing in and templates are left out.

The main line is what docs/architecture.md tells of a walk: the files that carry it, without what helps them.
"""

# ruff: noqa: E402 (Django has to be ready before our own modules are imported)

import argparse
import base64
import inspect
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType

import tests.environment  # noqa: F401 (makes the environment, before Django reads it)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.template.backends.django import Template
from django.test import Client
from django.test.utils import setup_test_environment
from django.utils import timezone

from accounts import reader_preferences
from accounts.models import AuditEvent
from manager.celery import app
from namespaces.models import CatalogRead, Grant, Tag
from registry_sync.tokens import wsgi
from tests import cast, factories
from tests.parts.images import MANIFEST
from tests.parts.images import Image as SampleImage
from tests.parts.model_registry import ModelRegistry

ROOT = Path(__file__).parents[2]
ROOMS = tuple(f"{ROOT / room}/" for room in ("accounts", "namespaces", "registry_sync"))
NAMESPACE = "/a/team-red/n/team/"
IMAGE = f"{NAMESPACE}i/app/"
PAPER = ROOT / "docs" / "architecture.md"
TITLES = {
    "token": "Token",
    "event": "Push event until the row on the page",
    "image": "Image page",
    "grant": "Grant form until row and audit event",
    "removal": "Removing a tag",
}
# Their calls belong to no walk: who is signed in, in which time zone, and what templates do with what a view gave them.
APART = {inspect.unwrap(each).__code__ for each in (get_user, Template.render, reader_preferences.as_asked)}
KIND = "application/vnd.docker.distribution.events.v1+json"


def around() -> set[str]:
    """Files that settings.py puts around every request: middleware, sessions and sign-in."""
    named = [
        *settings.MIDDLEWARE,
        *settings.AUTHENTICATION_BACKENDS,
        f"{settings.SESSION_ENGINE}.SessionStore",
    ]
    return {f"{name.rpartition('.')[0].replace('.', '/')}.py" for name in named}


@dataclass
class Trace:
    """`steps`: (file, function) of each first call."""

    left_out: set[str]
    steps: list[tuple[str, str]] = field(default_factory=list)
    _seen: set[CodeType] = field(default_factory=set)
    _inside: threading.local = field(default_factory=threading.local)

    @contextmanager
    def on(self) -> Iterator[None]:
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _profile(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if code in APART:
            change = {"call": 1, "return": -1}.get(event, 0)
            self._inside.depth = getattr(self._inside, "depth", 0) + change
        elif event == "call" and code.co_filename.startswith(ROOMS) and code not in self._seen:
            self._called(code)

    def _called(self, code: CodeType) -> None:
        path = code.co_filename.removeprefix(f"{ROOT}/")
        if "<" not in code.co_name and path not in self.left_out and not getattr(self._inside, "depth", 0):
            self._seen.add(code)
            self.steps.append((path, code.co_qualname))

    @property
    def stops(self) -> list[tuple[str, list[str]]]:
        """Return (file, functions read there), in order."""
        found: list[tuple[str, list[str]]] = []
        for path, function in self.steps:
            if not found or found[-1][0] != path:
                found.append((path, []))
            found[-1][1].append(function)
        return found

    def __str__(self) -> str:
        seen: set[str] = set()
        lines = []
        for number, (path, functions) in enumerate(self.stops, 1):
            again = "back to " if path in seen else ""
            seen.add(path)
            lines.append(f"{number:4} {again}{path}: {', '.join(functions)}")
        return "\n".join(lines)

    def missing(self, main_line: list[str]) -> list[str]:
        """Return the files of a main line that are not passed, or not in its order."""
        left, missing = [f"/{path}" for path, _functions in self.stops], []
        for name in main_line:
            at = next((at for at, path in enumerate(left) if path.endswith(f"/{name}")), None)
            if at is None:
                missing.append(name)
            else:
                left = left[at:]
        return missing

    @property
    def count(self) -> str:
        files = {path for path, _functions in self.stops}
        return f"{len(self.stops)} stops, {len(files)} files, {len(self.stops) - len(files)} returns"


class World:
    """An account with a namespace and an image in it, its owner's browser, and a registry that holds the image."""

    def __init__(self, registry: ModelRegistry) -> None:
        self.registry = registry
        self.people = cast.make()
        self.browser = self.people.client("owner")
        self.namespace = factories.NamespaceFactory(account=self.people.account, name="team")
        self.user = factories.RegistryUserFactory(account=self.people.account)
        self.pushed = 0
        CatalogRead.objects.create(registry=settings.REGISTRY_URL, started_at=timezone.now())

    def push(self) -> str:
        """One more tag in the registry; return its name."""
        self.pushed += 1
        tag, content = f"1.{self.pushed}", SampleImage(labels={"number": str(self.pushed)})
        body = content.manifest
        self.registry.push("team/app", tag, MANIFEST, body.digest, body.content)
        for blob in (content.config, *content.layer_blobs):
            self.registry.hold_blob("team/app", blob.digest, blob.content)
        self.digest = body.digest
        return tag

    def tell(self, tag: str) -> None:
        """As the registry does, after a push."""
        event = {
            "id": f"event {tag}",
            "action": "push",
            "timestamp": timezone.now().isoformat(),
            "target": {"mediaType": MANIFEST, "repository": "team/app", "tag": tag, "digest": self.digest},
            "actor": {"name": self.user.username},
            "request": {"useragent": "docker/27.0"},
        }
        key = (Path(settings.SECRETS_DIR) / "hook.key").read_text().strip()
        answer = Client().post(
            "/registry/events",
            json.dumps({"events": [event]}),
            content_type=KIND,
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 202

    def told(self) -> str:
        """A tag that was pushed, told and applied."""
        tag = self.push()
        self.tell(tag)
        work("apply_events")
        return tag

    def page(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()

    def act(self, path: str, **form: object) -> None:
        answer = self.browser.post(path, form)
        assert answer.status_code == 302, answer.content.decode()[-3000:]


def work(task: str) -> None:
    """As a worker does."""
    app.tasks[f"registry_sync.{task}"]()


def token(world: World) -> Iterator[None]:
    """`docker pull` of an image that the user may read."""
    Grant.objects.filter(user=world.user).delete()
    factories.GrantFactory(user=world.user, namespace=world.namespace)
    basic = base64.b64encode(f"{world.user.username}:{world.user.password}".encode()).decode()
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/auth/token",
        "REMOTE_ADDR": "192.0.2.1",
        "QUERY_STRING": f"service={settings.TOKEN_SERVICE}&scope=repository:team/app:pull",
        "HTTP_AUTHORIZATION": f"Basic {basic}",
        "HTTP_USER_AGENT": "docker/27.0",
    }
    yield
    status, _headers, body = wsgi.respond(environ, now=timezone.now())
    assert status == 200, body
    assert json.loads(body)["token"]


def event(world: World) -> Iterator[None]:
    """The registry tells of a push; the worker applies it; the image's page has the row."""
    tag = world.push()
    yield
    world.tell(tag)
    work("apply_events")
    assert f">{tag}<" in world.page(IMAGE)


def grant(world: World) -> Iterator[None]:
    """The form of a namespace's permissions, until the row and its audit event are there."""
    user = factories.RegistryUserFactory(account=world.people.account)
    yield
    world.act(f"{NAMESPACE}permissions/", user=user.username, image_name="", level="read")
    row = Grant.objects.get(user=user)
    assert AuditEvent.objects.filter(object_kind="grant", object_id=row.pk).exists()


def removal(world: World) -> Iterator[None]:
    """A tag is removed in the form, and by the worker from the registry and the page."""
    tag = world.told()
    expected = Tag.objects.get(name=tag).manifest_id
    yield
    world.act(f"{IMAGE}-/untag/", tag=tag, expected_digest=expected)
    work("removals")
    assert not Tag.objects.filter(name=tag).exists()


def image(world: World) -> Iterator[None]:
    """The page of an image with a tag."""
    tag = world.told()
    yield
    assert f">{tag}<" in world.page(IMAGE)


WALKS: dict[str, Callable[[World], Iterator[None]]] = {
    walk.__name__: walk for walk in (token, event, grant, removal, image)
}


def main_line(walk: str) -> list[str]:
    """Return the files that the paper names, in its order."""
    paragraph = PAPER.read_text().partition(f"**{TITLES[walk]}**:")[2].partition("\n\n")[0]
    return re.findall(r"`(\w+(?:/\w+)+\.py)`", paragraph)


def follow(walk: Callable[[World], Iterator[None]], world: World) -> Trace:
    """The second time: what a process does but once has been done."""
    for trace in (None, Trace(around())):
        steps = walk(world)
        next(steps)
        with trace.on() if trace else nullcontext():
            next(steps, None)
    assert trace
    return trace


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "walks", nargs="*", metavar="WALK", help=f"{', '.join(WALKS)}; all of them without a name"
    )
    parser.add_argument("--short", action="store_true", help="the counts alone")
    wanted = parser.parse_args()
    if unknown := set(wanted.walks) - set(WALKS):
        parser.error(f"no such walk: {', '.join(sorted(unknown))}")
    app.loader.import_default_modules()
    setup_test_environment()
    logging.disable(logging.WARNING)
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    old = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0)
    registry = ModelRegistry()
    settings.REGISTRY_URL = registry.url
    try:
        world = World(registry)
        for name in wanted.walks or WALKS:
            trace = follow(WALKS[name], world)
            print(f"{name}: {trace.count}; main line {len(main_line(name))} stops")
            if not wanted.short:
                print(f"{trace}\n")
    finally:
        registry.stop()
        connection.creation.destroy_test_db(old, verbosity=0)


if __name__ == "__main__":
    main()
