"""What is left to do until a first image is here. Nothing of it is stored: each step is done when it is seen to be."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from accounts.client_commands import Snippet
from accounts.models import Account, Denial, RegistryUser, Secret
from accounts.roles import Permission
from accounts.selectors import last_denial_of, used_newest_password
from accounts.views import last_denial
from accounts.views.button_permissions import denial_reason
from accounts.views.client_tabs import client_tabs
from accounts.views.credentials_page import live_note
from accounts.views.request import PersonRequest
from namespaces import selectors
from namespaces.example_image import first_push_example
from namespaces.forms import NamespaceForm
from namespaces.models import Namespace


@dataclass(frozen=True)
class FirstSteps:
    """A namespace, a user that can push to it, its first use, its first push: the first that is missing is next.

    `names`: the account's namespaces, or the one that the page is about. Of the user that can push there are
    `user`, `used` (its newest password, or itself without one, once it was), `tabs`, what it was denied last, and
    the notes that the page asks with. `new_user_url` creates one that can push here; `permissions_url`, "" without
    other users, gives the permission to another. `why_no_namespace` and `why_no_user` are "" for who may create
    them.
    """

    names: list[str]
    form: NamespaceForm | None
    user: RegistryUser | None
    used: Secret | RegistryUser | None
    denial: Denial | None
    denial_live: str
    tabs: list[Snippet]
    live: str
    new_user_url: str
    permissions_url: str
    why_no_namespace: str
    why_no_user: str


def first_steps(
    request: PersonRequest, account: Account, *, namespaces: list[Namespace], image_name: str = ""
) -> FirstSteps:
    """For a page that shows no image yet: of the account, of its only namespace here, or of `image_name` in it."""
    only = namespaces[0] if len(namespaces) == 1 else None
    grant = selectors.first_push_grant(account, namespace=only, image_name=image_name) if namespaces else None
    user = grant.user if grant else None
    used = used_newest_password(user) if user else None
    denial_live = last_denial.live_note(request, user) if user else ""  # before the denial
    why_no_namespace = denial_reason(account, Permission.NAMESPACES_MANAGE)
    return FirstSteps(
        names=[each.name for each in namespaces],
        form=None if namespaces or why_no_namespace else NamespaceForm(initial={"name": account.handle}),
        user=user,
        used=used,
        denial=last_denial_of(user) if user else None,
        tabs=client_tabs(user, first_push_example(grant, image_name)) if grant and user else [],
        denial_live=denial_live,
        live=live_note(request, user) if user and not used else "",
        new_user_url=new_user_url(account, f"{only.name}/{image_name}".rstrip("/") if only else ""),
        permissions_url="" if user or not only else _permissions_url(only),
        why_no_namespace=why_no_namespace,
        why_no_user=denial_reason(account, Permission.USERS_MANAGE),
    )


def _permissions_url(namespace: Namespace) -> str:
    account = namespace.account
    return (
        reverse("permissions", args=[account.handle, namespace.name]) if selectors.has_users(account) else ""
    )


def new_user_url(account: Account, where: str) -> str:
    """Return the page that creates a user, filled in for one that can push to `where`."""
    query = {"purpose": "write"} | ({"where": where} if where else {})
    return f"{reverse('user-create', args=[account.handle])}?{urlencode(query, safe='/')}"
