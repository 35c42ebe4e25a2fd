"""An application behind the product's own front that answers with what it was told of the request."""

import json
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")

from accounts.common.client_ip import client_address
from manager.server.environ import Environ, Scope
from manager.server.front import Front, respond
from manager.server.threads import Send


async def _answer(environ: Environ, _scope: Scope, send: Send) -> None:
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    told["body"] = environ["wsgi.input"].read().decode("latin-1")
    told["client"] = client_address(environ)
    await respond(send, 200, [(b"content-type", b"application/json")], json.dumps(told).encode())


application = Front(_answer, lambda _environ: 256 * 1024)
