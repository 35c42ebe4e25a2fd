import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from manager.standalone.run import run


class Command(BaseCommand):
    help = "Prepares the data folder and runs panel, worker and registry in the foreground."
    requires_system_checks = ()  # the keys they look at are made first

    def handle(self, *_args: Any, **_options: Any) -> None:
        os.chdir(settings.BASE_DIR)
        sys.exit(run(self._say))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
