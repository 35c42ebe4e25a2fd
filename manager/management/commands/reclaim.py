import getpass
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.common.database_errors import outage_of
from accounts.principal import Kind, Principal
from manager.standalone import read_only, registry
from manager.standalone.collection import CollectionError, Collector
from manager.standalone.reclaiming import Reclaiming, Refused
from registry_sync.client import RegistryClient
from registry_sync.leases import LeaseLost
from registry_sync.panel_client import registry_client
from registry_sync.reclaim import by_hand, runs, texts

REFUSED = 1  # exit code; also where something is missing, or not as promised


class Command(BaseCommand):
    help = (
        "Says what the registry's garbage collection would free, whether that is safe now, and how to run it. Where "
        "`make run` keeps the registry, --run does all of it. Exit code 1 when it is refused, or not all is well."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--run", action="store_true", help="do it, where `make run` keeps the registry")
        what.add_argument(
            "--check",
            action="store_true",
            help="right before you collect by hand: the registry must be read-only",
        )
        what.add_argument(
            "--verify", action="store_true", help="afterwards: is anything missing, and what was freed"
        )
        parser.add_argument(
            "--delete-untagged",
            action="store_true",
            help="delete what no tag holds, too: nothing untagged can be restored then; Distribution 3 alone",
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=600,
            metavar="SECONDS",
            help="that pushes and deletions under way may take (600)",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` sets it
                signal.signal(number, _end)  # so that what was begun is ended in order
        client = registry_client()
        try:
            with runs.exclusive() as alive:
                well = self._do(client, alive, options)
        except runs.Busy:
            raise CommandError("Another `manage.py reclaim` runs.") from None
        except LeaseLost:
            raise CommandError("Another `manage.py reclaim` took over: this one did not get on.") from None
        except (CollectionError, registry.NoRegistryError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            outage = outage_of(error)
            if outage is None:
                raise
            raise CommandError(outage.sentence) from error
        except Refused as refused:
            self._say_all(texts.refused(refused.reasons))
            well = False
        finally:
            client.close()
        sys.exit(0 if well else REFUSED)

    def _do(self, client: RegistryClient, alive: runs.Alive, options: dict[str, Any]) -> bool:
        by = Principal(kind=Kind.SYSTEM, id=None, label=f"manage.py reclaim ({getpass.getuser()})")
        if options["verify"]:
            return by_hand.verify(client, self._say, alive, by=by)
        if not registry.is_kept():
            return self._by_hand(client, options, by)
        if not read_only.is_listening(Path(settings.DATA_DIR)):
            raise CommandError(f"`make run` does not run on {settings.DATA_DIR}. Start it, and try again.")
        collector = Collector(registry.kept(), client, alive, delete_untagged=options["delete_untagged"])
        reclaiming = Reclaiming(collector, alive, self._say, by, wait_seconds=options["wait"])
        if options["run"]:
            return reclaiming.run()
        _eligible, promised = reclaiming.plan()
        self._say_all(texts.promise(promised))
        if promised:
            self._say_all(["It is safe now.", "", texts.PLAN_BY_MAKE_RUN])
        return True

    def _by_hand(self, client: RegistryClient, options: dict[str, Any], by: Principal) -> bool:
        if options["run"] or options["delete_untagged"]:
            raise CommandError(
                "The registry is not kept by `make run` here, so this command cannot reach its configuration and "
                "storage. Without options it prints what to run."
            )
        return by_hand.check(client, self._say, by=by) if options["check"] else by_hand.plan(self._say)

    def _say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._say(line)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _end(*_signal: object) -> None:
    sys.exit(REFUSED)
