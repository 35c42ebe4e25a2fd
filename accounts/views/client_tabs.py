"""The commands of `accounts/client_commands.py`, for this installation and one of its users."""

from django.conf import settings

from accounts.client_commands import Example, Registry, Snippet, snippets
from accounts.models import RegistryUser


def client_tabs(user: RegistryUser, example: Example) -> list[Snippet]:
    tls = not settings.PUBLIC_URL.startswith("http://")
    return snippets(Registry(settings.REGISTRY_HOST, tls=tls), user.username, example)
