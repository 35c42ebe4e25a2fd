"""Every route of the API, read from the URLconf, with what it takes to succeed. A new route fails here first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.services import trust_policies
from namespaces.ledger.shrinking import propose
from registry_sync.deletion import purge_scope
from tests.django.api.caller import API
from tests.django.api.world import World

# Routes that serve no rows: the schema, and "there is nothing here".
WITHOUT_ROWS = {"api-schema", "api-not-found"}
# For a user of the registry with its own password, and no person: test_self_rotation.py asks it.
OF_USERS = {"api-self-rotate"}
OPERATORS = "api-system"
# What must be asked with a query.
QUERIES = {
    "api-access-check": "?action=pull&repository=red/app/api",
    "api-access-who": "?action=pull&repository=red/app/api",
    "api-activity-download": "?format=csv",
    "api-image-compare": "?left=1.0&right=1.0",
    "api-search": "?q=app",
    "api-account-search": "?q=app",
}
OPEN_TO_EVERY_PERSON = {"api-me", "api-my-tokens", "api-accounts", "api-sync", "api-search"}

RULES = ["api-retention-rule", "api-retention-preview", "api-retention-runs"]


@dataclass(frozen=True)
class Route:
    name: str
    method: str
    view: Any
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.name}"

    def path(self, world: World, **instead: str | int) -> str:
        found = arguments_for(self.name, world) | instead
        address = reverse(self.name, kwargs={name: found[name] for name in self.arguments})
        return address.removeprefix(API) + QUERIES.get(self.name, "")


def every() -> list[Route]:
    """Those of accounts; an operator's are in `operators`."""
    found = [route for route in _all() if not route.name.startswith(OPERATORS)]
    assert len(found) > 35
    return found


def operators() -> list[Route]:
    """For operators only; test_system.py asks them."""
    return [route for route in _all() if route.name.startswith(OPERATORS)]


def _all() -> list[Route]:
    return [
        Route(name, method.upper(), view, arguments)
        for name, view, arguments in views()
        if name not in WITHOUT_ROWS | OF_USERS
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view, method)
    ]


def views() -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    """(name, view class, arguments) of every route under /api/v1/."""
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and str(resolver.pattern) == API.lstrip("/"):
            yield from _below(resolver)


def _below(resolver: URLResolver) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from _below(each)
        elif each.name != "api-docs":  # a page
            assert isinstance(each, URLPattern)
            arguments = re.findall(r"<(?:\w+:)?(\w+)>", str(each.pattern))
            yield str(each.name), each.callback.cls, tuple(arguments)


def arguments_for(name: str, world: World) -> dict[str, Any]:
    ids = {"api-invitation": world.invitation.pk, "api-password": world.old_password.pk,
           "api-grant": world.grant.pk, "api-my-token": world.token.pk,
           "api-denial-allow": world.denial.pk, "api-trust-policy": world.policy.pk,
           "api-id-token-issuer": world.issuer.pk,
           "api-refused-id-token-allow": world.refused.pk,
           "api-removal": world.removal.pk, "api-removal-restore": world.purge.removals.get().pk,
           **dict.fromkeys(["api-purge", "api-purge-stop", "api-purge-restore"], world.purge.pk),
           **dict.fromkeys(RULES, world.rule.pk)}  # fmt: skip
    return {
        "handle": world.cast.account.handle,
        "username": (world.free_user if name == "api-user-passwords" else world.user).username,
        "person_id": world.cast.viewer.pk,
        "name": world.namespace.name,
        "image": world.tag.image.name,
        "tag": world.tag.name,
        "digest": world.old.digest,
        "id": ids.get(name),
        "webhook_id": world.webhook.pk,
        "delivery_id": world.delivery.pk,
    }


def body_for(route: Route, world: World) -> dict[str, Any] | None:
    """A body with which the owner succeeds. KeyError: a new route, to be added here."""
    return None if route.method == "GET" else _bodies(world)[str(route)]


def _bodies(world: World) -> dict[str, dict[str, Any] | None]:
    whole_image = purge_scope.scope_of(purge_scope.images_of(world.namespace, world.tag.image)).preview_digest
    return {
        "POST api-removal-restore": None,
        "POST api-image-purge": {"preview_digest": whole_image, "confirmation": "app/api"},
        "POST api-images-purge": {
            "images": ["red/app/api"],
            "preview_digest": whole_image,
            "confirmation": "app/api",
        },
        "POST api-namespace-purge": {"preview_digest": whole_image, "confirmation": "red"},
        "POST api-purge-stop": None,
        "POST api-purge-restore": None,
        "POST api-my-tokens": {"name": "CI"},
        "DELETE api-my-token": None,
        "POST api-accounts": {"name": "Team Blue"},
        "PATCH api-account": {"name": "Team Crimson"},
        "DELETE api-account": {"confirmation": "team-red"},
        "POST api-invitations": {"role": "viewer"},
        "DELETE api-invitation": None,
        "DELETE api-membership": None,
        "PATCH api-member": {"role": "manager"},
        "DELETE api-member": None,
        "POST api-users": {"description": "Laptop"},
        "PATCH api-user": {"description": "CI build"},
        "DELETE api-user": None,
        "POST api-user-disable": None,
        "POST api-user-enable": None,
        "PATCH api-password-rules": {"longest_life_days": 30, "self_rotation": True},
        "PATCH api-second-factor": {"second_factor_required": False},
        "POST api-user-password": None,
        "POST api-user-grants-copy": {"same_as": world.free_user.username},
        "POST api-user-passwords": {"retire_after_unused_days": 14},
        "PATCH api-password": {"retire_after_unused_days": 30},
        "DELETE api-password": None,
        "POST api-id-token-issuers": {
            "url": "https://cluster.example.com",
            "pasted_jwks": world.issuer.pasted_jwks,
        },
        "PATCH api-id-token-issuer": {"enabled": False},
        "DELETE api-id-token-issuer": None,
        "POST api-trust-policies": {"issuer": world.policy.issuer_id, "rules": {"sub": {"is": ["ci"]}}},
        "PATCH api-trust-policy": {"enabled": False},
        "DELETE api-trust-policy": None,
        "POST api-refused-id-token-allow": {"preview_digest": trust_policies.preview_digest(world.refused)},
        "POST api-grants": {"user": world.free_user.username, "namespace": "red", "level": "write"},
        "PATCH api-grant": {"level": "admin"},
        "DELETE api-grant": None,
        "POST api-denial-allow": {},
        "POST api-namespaces": {"name": "fresh"},
        "PATCH api-namespace": {"public": True},
        "PATCH api-image": {"description": "The API of Team Red"},
        "DELETE api-namespace": {"confirmation": "red"},
        "POST api-account-sync": None,
        "POST api-retention": {"keep_last": 3, "image": "app/api"},
        "PATCH api-retention-rule": {"keep_last": 4},
        "DELETE api-retention-rule": None,
        "POST api-retention-runs": None,
        "POST api-user-smallest-grants": {"proposal_digest": propose(world.user).digest},
        "POST api-access-preview": {"private_namespaces": ["red"]},
        "POST api-webhooks": {"url": "https://hooks.example.com/", "event_types": ["image.pushed"]},
        "PATCH api-webhook": {"name": "Deploy"},
        "DELETE api-webhook": None,
        "POST api-webhook-signing-secret": None,
        "POST api-webhook-test": None,
        "POST api-webhook-delivery-resend": None,
        "POST api-removals": {
            "kind": "untag",
            "items": [{"tag": world.tag.name, "digest": world.tag.manifest_id}],
        },
    }
