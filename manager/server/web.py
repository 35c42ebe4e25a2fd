"""The server of pages, API and the registry's events: Django, in threads behind the front."""

# First, because it sets Django up: before that no model can be imported.
from manager.wsgi import application as wsgi_application

# isort: split
from django.conf import settings

from accounts import api_token_uses, leak_reports, session_seen, sign_ins
from accounts.common.client_ip import client_network
from accounts.common.secret_files import SecretFileError
from manager.server import request_ids
from manager.server.environ import Environ, Scope
from manager.server.front import Front
from manager.server.metrics_door import door
from manager.server.threads import Send, Threads
from registry_sync.events import views
from registry_sync.last_viewed import image_views
from registry_sync.tokens import wsgi
from registry_sync.tokens.request import MAX_BODY

THREADS = 4

_threads = Threads(request_ids.middleware(wsgi_application), THREADS)


def bound(environ: Environ) -> int:
    """Of the registry's events nothing is read before the key is right."""
    match environ["PATH_INFO"]:
        case path if path in wsgi.DOORS:
            return MAX_BODY
        case "/registry/events" | "/registry/events/":
            return settings.EVENTS_BODY_MAX if _is_registry(environ) else 0
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _is_registry(environ: Environ) -> bool:
    try:
        return views.has_registry_key(environ.get("HTTP_AUTHORIZATION", ""))
    except SecretFileError:  # the view says it
        return False


async def _answer(environ: Environ, scope: Scope, send: Send) -> None:
    wsgi.start_write_behind()
    door.start()
    image_views.start()
    api_token_uses.uses.start()
    session_seen.seen.start()
    sign_ins.failed.start()
    leak_reports.reports.start()  # once per process, all of them
    if await door.answer(environ, send):
        return
    sends_files = "http.response.pathsend" in (scope.get("extensions") or {})
    await _threads.answer(environ, send, address=client_network(environ), sends_files=sends_files)


application = Front(_answer, bound, gives_ids=settings.LOG_FORMAT == "json")
