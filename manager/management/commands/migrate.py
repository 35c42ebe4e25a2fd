"""Django's `migrate`, beside a panel that is in use."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections

from accounts.outage import Outage, first_line, outage_of

ATTEMPTS = 10


class Command(migrate.Command):
    """Without the time limit of pages. A lock that is not to be had within `lock_timeout` is given up, since all pages
    wait behind whoever waits for it, and asked for again; what was applied by then stays applied."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 0")
        for left in reversed(range(ATTEMPTS)):
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                if outage_of(error) is not Outage.BUSY or not left:
                    raise
                self.stderr.write(f"{first_line(error)}; trying again")
                time.sleep(1)
            else:
                return
