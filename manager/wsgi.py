"""The WSGI application: the token door first, then Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "manager.settings")

from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()

from registry_sync.tokens.wsgi import token_middleware  # noqa: E402 (models are ready only now)

application = token_middleware(django_application)
