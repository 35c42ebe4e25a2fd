"""The product's settings, of an installation that waits: `env | patient.ENV`.

It gives up on a database that is busy after two to four seconds, as people want it. Where a test is about something
else, a machine that is busy with others is no outage.
"""

from manager.settings import *  # noqa: F403
from manager.settings import DATABASES as _DATABASES
from tests.parts.processes import PATIENCE

ENV = {"DJANGO_SETTINGS_MODULE": "tests.parts.patient"}
FIRST_LOOK = LEASE_IDLE_SECONDS = PATIENCE
_database = _DATABASES["default"]
_options = dict(_database["OPTIONS"])
if "postgresql" in _database["ENGINE"]:
    _options["connect_timeout"] = PATIENCE
    _options["options"] += f" -c lock_timeout={PATIENCE}s -c statement_timeout={PATIENCE}s"
else:
    _options["timeout"] = PATIENCE
DATABASES = {"default": _database | {"OPTIONS": _options}}
