"""The broker is not trusted: a message is JSON, and nothing in it decides what a task does."""

import base64
import inspect
import json
import os
import pickle
import re
from typing import Any

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.message import Message

from manager.celery import app
from registry_sync import jobs, tasks
from registry_sync.models import Marker


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (os.putenv, ("REGISTRY_MANAGER_BROKEN_INTO=1",))


def message(body: bytes, content_type: str, encoding: str) -> Any:
    accept = [f"application/{name}" for name in app.conf.accept_content]
    return Message(body=body, content_type=content_type, content_encoding=encoding, accept=accept).decode()


@pytest.mark.parametrize("encoding", ["binary", "utf-8"])
@pytest.mark.parametrize(
    "content_type",
    ["application/x-python-serialize", "application/x-yaml", "application/x-msgpack"],
)
def test_a_message_that_is_not_json_is_not_opened(content_type: str, encoding: str) -> None:
    with pytest.raises(ContentDisallowed):
        message(base64.b64encode(pickle.dumps(Bomb())), content_type, encoding)


def test_json_is_opened() -> None:
    body = json.dumps([[], {}, {}]).encode()
    assert message(body, "application/json", "utf-8") == [[], {}, {}]
    assert app.conf.task_serializer == app.conf.event_serializer == "json"
    assert set(app.conf.accept_content) == {"json"}
    assert app.conf.task_ignore_result


@pytest.mark.django_db
def test_what_a_message_says_to_a_task_changes_nothing() -> None:
    """Tasks take what is due from the database; names and numbers from a message have no place to go."""
    ours = {name: task for name, task in app.tasks.items() if name.startswith("registry_sync.")}
    assert len(ours) >= 8
    tasks.measure_usage(id=1, sql="DROP TABLE", path="/etc/passwd")
    assert Marker.objects.filter(name=Marker.USAGE).exists()
    for task in ours.values():
        with pytest.raises(TypeError):
            task.run("a positional word")


def test_what_is_asked_for_by_name_is_there() -> None:
    """Nothing imports the tasks, so a name that is none would be found by the worker alone, in its log."""
    asked = re.findall(r'publish\("([a-z_.]+)"\)', inspect.getsource(jobs))
    assert len(asked) >= 4
    assert set(asked) <= set(app.tasks)
