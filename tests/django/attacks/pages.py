"""Every page of the panel, read from the URLconf, with what its form takes. A new page is here by itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.services import trust_policies
from registry_sync.deletion import purge_scope, service
from tests.django.api.world import World

# The API has walks of its own; allauth's pages below /me/ are allauth's, but for ours.
NOT_OURS = ("api/v1/", "me/")
# Doors for machines, each with tests of its own.
WITHOUT_ROWS = {"healthz", "leaked", "readyz", "registry-events", "security-txt"}

# Pages that send a file; each has tests of its own beside those that hold for all.
FILES = {"manifest-download", "activity-csv", "activity-jsonl"}


@dataclass(frozen=True)
class Page:
    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def path(self, world: World, **instead: str) -> str:
        found = arguments_for(self.name, world) | instead
        return reverse(self.name, kwargs={name: found[name] for name in self.arguments})


def every() -> list[Page]:
    found = [page for page in _below(get_resolver()) if page.name not in WITHOUT_ROWS]
    assert len(found) > 35
    return found


def as_html() -> list[Page]:
    return [page for page in every() if page.name not in FILES]


def of_an_account() -> list[Page]:
    return [page for page in every() if "handle" in page.arguments]


def _below(resolver: URLResolver) -> Iterator[Page]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            if str(each.pattern) not in NOT_OURS:
                yield from _below(each)
        elif isinstance(each, URLPattern) and each.name:
            yield Page(each.name, tuple(re.findall(r"<(?:\w+:)?(\w+)>", str(each.pattern))))


def arguments_for(name: str, world: World) -> dict[str, str]:
    return {
        "handle": world.cast.account.handle,
        "account_handle": world.cast.elsewhere.handle,
        "username": (world.free_user if name == "password-rotate" else world.user).username,
        "secret_id": str(world.old_password.pk),
        "person_id": str(world.cast.viewer.pk),
        "policy_id": str(world.policy.pk),
        "issuer_id": str(world.issuer.pk),
        "refused_id": str(world.refused.pk),
        "invitation_id": str(world.invitation.pk),
        "token_id": str(world.token.pk),
        "session_id": "1",  # of nobody: test_sessions.py ends real ones
        "id": str(_row_of(name, world)),
        "webhook_id": str(world.webhook.pk),
        "delivery_id": str(world.delivery.pk),
        "name": world.empty.name if name == "namespace-delete" else world.namespace.name,
        "image_name": world.tag.image.name,
        "action": "push",
        "repository": world.tag.image.repository,
        "tag_name": world.tag.name,
        "digest": world.tag.manifest_id,
        "token": "rml_" + "x" * 38,
        "first": "old",
    }


def _row_of(name: str, world: World) -> int:
    if name.startswith("retention"):
        return world.rule.pk
    if name == "denial-allow":
        return world.denial.pk
    if name.startswith("purge"):
        return world.purge.pk
    if name == "image-removal-restore":
        return world.purge.removals.get().pk
    return world.removal.pk if name == "image-removal" else world.grant.pk


def form_for(page: Page, world: World) -> dict[str, str]:
    """One form in which every page finds its own fields, right ones for the owner."""
    typed = {
        "account-close": world.cast.account.handle,
        "namespace-delete": world.empty.name,
        "user-delete": world.user.username,
        "image-delete": world.tag.image.name,
        "image-purge": world.tag.image.name,
        "images-purge": world.tag.image.name,
        "namespace-purge": world.namespace.name,
    }
    return {
        "name": "blue",
        "description": "Changed",
        "expiry": "30",
        "expires_on": "",
        "scope": "read",
        "account": "*",
        "retirement": "14",
        "longest_life_days": "30",
        "role": "manager",
        "level": "admin",
        f"level-{world.grant.pk}-read": "admin",
        "public": "yes",
        "user": world.free_user.username,
        "namespace": world.empty.name,
        "image_name": "web",
        "confirm": typed.get(page.name, ""),
        "tag": world.tag.name,
        "image": world.tag.image.repository,
        "expected_digest": world.tag.manifest_id,
        "keep_last": "7",
        "url": "https://cluster.example.com",
        "pasted_jwks": world.issuer.pasted_jwks,
        "enabled": "yes",
        "once": "a mark",
        **_of_one_page(page, world),
    }


def _of_one_page(page: Page, world: World) -> dict[str, str]:
    if page.name in ("denial-allow", "user-allow"):
        return {"where": "image"}
    if page.name == "image-delete":
        return {"preview_digest": service.preview(world.tag.image, tags=[world.tag.name]).preview_digest}
    if page.name in ("image-purge", "images-purge", "namespace-purge"):
        return {
            "preview_digest": purge_scope.scope_of(
                purge_scope.images_of(world.namespace, world.tag.image)
            ).preview_digest
        }
    if page.name in ("trust-policy", "trust-policy-create"):
        issuer = str(world.policy.issuer_id)
        return {"preset": "other", "issuer": issuer, "rows": "1", "name_0": "sub", "values_0": "job\njob2",
                "audience": world.policy.audience}  # fmt: skip
    if page.name in ("webhook-create", "webhook-edit"):
        return {"preset": "own", "where": "", "event_types": "image.pushed", "format": "cloudevents"}
    if page.name == "webhook-toggle":
        return {"enabled": "no"}
    if page.name == "refused-id-token-allow":
        return {"preview_digest": trust_policies.preview_digest(world.refused)}
    return {"digest": world.old.digest} if page.name == "image-restore" else {}
