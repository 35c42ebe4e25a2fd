"""Runs panel, worker and registry together on this machine, in the foreground."""

import io
import logging
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError, connection
from django.urls import reverse

from accounts.common.database_errors import first_line, outage_of
from accounts.common.secret_files import SecretFileError
from accounts.services import people
from manager import earlier_build
from manager.standalone import lockfile, parts, read_only, registry, static, worker
from manager.standalone.data_dir import init_data_dir, registry_folder, write_registry_config
from manager.standalone.parts import LOOPBACK
from manager.standalone.supervisor import POLL_SECONDS, START_SECONDS, Group
from namespaces.models import CatalogRead

log = logging.getLogger(__name__)


def run(say: Callable[[str], None]) -> int:
    """Return the exit code. Raise CommandError, before anything is started, with a sentence that says what to do."""
    with suppress(DatabaseError):  # `migrate` says why it does not answer
        earlier_build.refuse(connection)
    with _in_words():
        lock = lockfile.take(settings.DATA_DIR, say)
    with lock:
        need_free_ports()
        with _in_words():
            held = read_only.prepare(Path(settings.DATA_DIR))
            commands = _prepare(held=held)
        parts.preload()
        return _supervise(commands.serve, say, held=held)


@contextmanager
def _in_words() -> Iterator[None]:
    """Raise CommandError for what is wrong outside of the panel, such as a full disk."""
    try:
        yield
    except (lockfile.TakenError, registry.NoRegistryError, SecretFileError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(
            f"{error.filename or settings.DATA_DIR} cannot be prepared: {error.strerror}."
        ) from error
    except (DatabaseError, InterfaceError) as error:
        if not outage_of(error):
            raise
        raise CommandError(f"The database cannot be prepared: {first_line(error)}.") from error


def _prepare(*, held: bool) -> registry.Commands:
    config = init_data_dir(events_url=_events_url(), read_only=held)
    commands = registry.commands(config, registry_folder())
    registry.keep(commands)
    call_command("check", stdout=io.StringIO())  # errors are raised; only its praise is dropped
    call_command("migrate", interactive=False, verbosity=0)
    static.collect()
    return commands


def _events_url() -> str:
    return f"http://{LOOPBACK}:{settings.PORT}/registry/events"


def need_free_ports() -> None:
    ports = {name: getattr(settings, name) for name in ("PORT", "TOKEN_PORT", "REGISTRY_PORT")}
    if len(set(ports.values())) < len(ports):
        raise CommandError("PORT, TOKEN_PORT (the one after PORT) and REGISTRY_PORT must be different ports.")
    for name, port in ports.items():
        need_free_port(name, port)


def need_free_port(variable: str, port: int) -> None:
    taken = CommandError(
        f"Port {port} is in use. Stop what uses it, or choose another one with {variable}, "
        f"as in: {variable}={port + 1000} make run"
    )
    try:
        socket.create_connection(("localhost", port), timeout=0.5).close()
    except OSError:
        pass
    else:
        raise taken
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just left is free
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise CommandError(f"Port {port} needs root; choose one above 1023 with {variable}.") from error
        except OSError as error:
            raise taken from error


def _supervise(serve_registry: list[str], say: Callable[[str], None], *, held: bool) -> int:
    worker.ready_file().unlink(missing_ok=True)
    group = Group()
    group.add("web", parts.web)
    group.add("tokens", parts.tokens)
    group.add("worker", parts.worker, stop_first=True)
    group.add("registry", parts.program(serve_registry, registry.environment()))

    def when_ready() -> None:
        # Not before: a process with threads must not be forked.
        switch = partial(_switch, group, serve_registry)
        read_only.start_listening(Path(settings.DATA_DIR), switch, held=held)
        _say_ready(say)

    code = group.run(
        {
            "web": answers(f"http://{LOOPBACK}:{settings.PORT}/healthz", HTTPStatus.OK),
            "tokens": answers(f"http://{LOOPBACK}:{settings.TOKEN_PORT}/healthz", HTTPStatus.OK),
            "registry": answers(f"http://{LOOPBACK}:{settings.REGISTRY_PORT}/v2/", HTTPStatus.UNAUTHORIZED),
            "worker": worker.ready_file().exists,
        },
        when_ready,
    )
    if group.ended:
        raise CommandError(
            f"The {group.ended} ended by itself, so everything was stopped; see its last lines."
        )
    if group.silent:
        raise CommandError(f"No answer within {START_SECONDS} seconds from: {', '.join(group.silent)}.")
    say("stopped")
    return code


def _switch(group: Group, serve_registry: list[str], refuses: bool) -> bool:
    """Restart the registry read-only or writable; return whether its configuration could be written."""
    done, written = threading.Event(), False

    def work() -> None:
        nonlocal written
        try:
            write_registry_config(events_url=_events_url(), read_only=refuses)
            written = True
        except (OSError, SecretFileError) as error:
            log.warning("the registry's configuration cannot be written: %s", error)
        else:
            group.replace("registry", serve_registry, registry.environment())
        done.set()

    group.call(work)
    done.wait()
    return written


def answers(url: str, status: HTTPStatus) -> Callable[[], bool]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def asked() -> bool:
        try:
            with opener.open(url, timeout=2) as answer:
                return bool(answer.status == status)
        except urllib.error.HTTPError as error:
            return error.code == status
        except (OSError, HTTPException):  # nothing, or something else than HTTP
            return False

    return asked


def _say_ready(say: Callable[[str], None]) -> None:
    _wait_for_the_first_look()
    say(f"ready: panel {settings.PUBLIC_URL} registry {settings.REGISTRY_HOST}")
    if not people.operator_existed():
        say(
            f"first operator: {settings.PUBLIC_URL}{reverse('bootstrap-link', args=[people.make_operator_link()])}"
        )
    elif (
        not people.operator_exists()
    ):  # somebody took the last one's rights: giving them anew is asked for, not done
        say("no operator: manage.py create_operator_link prints a link that makes one")


def _wait_for_the_first_look() -> None:
    """Until the registry's list was read no namespace can be made. Not for ever: what keeps it is said elsewhere."""
    ends = time.monotonic() + settings.FIRST_LOOK
    while time.monotonic() < ends and not CatalogRead.objects.exists():
        time.sleep(POLL_SECONDS)
