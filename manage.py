"""Django's command line."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from manager import version


def main() -> None:
    if sys.argv[1:] in (["version"], ["--version"]):  # Django would tell its own
        print(version.read(Path(__file__).parent))  # noqa: T201
        return
    if sys.argv[1:2] == ["run"]:
        # Until there is something to stop, Ctrl-C ends it as SIGTERM does. Python's own handler raises in the middle of
        # an import, where an exception may be dropped: then it would go on.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 (settings first)
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import Error  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except Error as error:
        if "--traceback" in sys.argv:
            raise
        _end_in_words(error)


def _end_in_words(error: Exception) -> NoReturn:
    """Say what is wrong with the database. Raise what is a fault of ours."""
    from accounts.common.database_errors import first_line, outage_of  # noqa: PLC0415 (settings first)

    outage = outage_of(error)
    if outage is None:
        raise error
    sys.exit(f"{outage.sentence} ({first_line(error)})")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:  # Ctrl-C needs no traceback
        sys.exit(128 + signal.SIGINT)
