"""One of everything in the account "team-red", and a snapshot of all that an attack could change."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps

from accounts.models import ApiToken, Invitation, RegistryUser
from accounts.services import members
from namespaces.models import Grant, Manifest, Namespace, Revision, Tag
from registry_sync.models import Removal, Repository, RetentionRule
from tests import factories
from tests.cast import Cast
from tests.integration.api.caller import Caller, token_of


@dataclass(frozen=True)
class World:
    cast: Cast
    user: RegistryUser
    free_user: RegistryUser
    namespace: Namespace
    tag: Tag
    grant: Grant
    invitation: Invitation
    token: ApiToken
    empty: Namespace
    removal: Removal
    rule: RetentionRule
    old: Manifest  # held in the tag's image, under no tag

    def caller(self, who: str) -> Caller:
        """ "owner", "manager", "viewer", "stranger", or "anonymous"."""
        return caller_of(self.cast, who)


def caller_of(cast: Cast, who: str) -> Caller:
    return Caller("" if who == "anonymous" else token_of(getattr(cast, who)))


def make(cast: Cast) -> World:
    account = cast.account
    namespace = factories.NamespaceFactory(account=account, name="red")
    tag = factories.TagFactory(image__namespace=namespace, image__name="app/api", name="1.0")
    user = factories.RegistryUserFactory(account=account, description="CI deploy")
    free_user = factories.RegistryUserFactory(account=account, description="No grants yet")
    grant = factories.GrantFactory(user=user, namespace=namespace)
    invitation, _text = members.invite(by=cast.by("owner"), account=account, role="viewer")
    token_of(cast.owner)
    token = ApiToken.objects.filter(person=cast.owner).latest("id")
    empty = factories.NamespaceFactory(account=account, name="empty")
    Repository.objects.create(name=tag.image.repository, image=tag.image)
    removal = Removal.objects.create(
        image=tag.image, kind="untag", state="done", due_at=None, asked_by="owner"
    )
    old = factories.ManifestFactory()
    Revision.objects.create(image=tag.image, manifest=old)
    rule = RetentionRule.objects.create(namespace=namespace, keep_last=2)
    return World(cast, user, free_user, namespace, tag, grant, invitation, token, empty, removal, rule, old)


def snapshot() -> dict[str, list[dict[str, Any]]]:
    """Every row of our own tables, but for what says that somebody looked."""
    models = [
        model
        for app in ("accounts", "namespaces", "registry_sync")
        for model in apps.get_app_config(app).get_models()
    ]
    rows = {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}
    for repository in rows["Repository"]:
        del repository["looked_at"]
    return rows
