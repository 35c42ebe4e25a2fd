from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from namespaces.permissions_doc import render


class Command(BaseCommand):
    help = "Writes docs/permissions.md from the evaluator; --check only compares."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *_args: Any, check: bool, **_options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "permissions.md"
        if not check:
            path.write_text(render())
        elif not path.exists() or path.read_text() != render():
            raise CommandError("docs/permissions.md is not current; run: manage.py render_permissions_doc")
