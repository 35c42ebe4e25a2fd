"""One of everything in the account "team-red", and a snapshot of all that an attack could change."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.id_tokens import rules
from accounts.models import (
    Account,
    ApiToken,
    Denial,
    IdTokenIssuer,
    Invitation,
    RefusedIdToken,
    RegistryUser,
    Secret,
    TrustPolicy,
)
from namespaces import access
from namespaces.models import (
    Grant,
    Image,
    Manifest,
    Namespace,
    RepositoryManifest,
    Tag,
    Webhook,
    WebhookDelivery,
)
from registry_sync.models import Purge, Removal, Repository, RetentionRule
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import Caller, token_of

RULES = {"repository_id": {"is": ["74"]}, "ref": {"is": ["refs/heads/main"]}}


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
    purge: Purge
    denial: Denial
    old: Manifest  # held in the tag's image, under no tag
    old_password: Secret  # of `user`, who has a newer one too
    policy: TrustPolicy  # of `user`
    issuer: IdTokenIssuer  # of the account's own; nobody trusts it
    refused: RefusedIdToken  # by that policy, for one value
    webhook: Webhook
    delivery: WebhookDelivery  # of that webhook, given up

    def caller(self, who: str) -> Caller:
        """Who is "owner", "manager", "viewer", "stranger", or "anonymous"."""
        return caller_of(self.cast, who)


def caller_of(cast: Cast, who: str) -> Caller:
    return Caller("" if who == "anonymous" else token_of(getattr(cast, who)))


def make(cast: Cast) -> World:
    account = cast.account
    namespace = factories.NamespaceFactory(account=account, name="red")
    tag = factories.TagFactory(image__namespace=namespace, image__name="app/api", name="1.0")
    user = factories.RegistryUserFactory(account=account, description="CI deploy")
    old_password = Secret.objects.get(user=user)
    factories.add_password(user)
    free_user = factories.RegistryUserFactory(account=account, description="No grants yet")
    grant = factories.GrantFactory(user=user, namespace=namespace)
    invitation = Invitation.objects.create(
        account=account,
        role="viewer",
        digest="0" * 64,
        inviter=cast.owner,
        created_by=cast.owner.email,
        expires_at=timezone.now() + timedelta(days=7),
    )
    token_of(cast.owner)
    token = ApiToken.objects.filter(person=cast.owner).latest("id")
    empty = factories.NamespaceFactory(account=account, name="empty")
    Repository.objects.create(name=tag.image.repository, image=tag.image)
    removal = Removal.objects.create(
        image=tag.image, kind="untag", state="done", due_at=None, requested_by="owner"
    )
    old = factories.ManifestFactory()
    RepositoryManifest.objects.create(image=tag.image, manifest=old)
    rule = RetentionRule.objects.create(namespace=namespace, keep_last=2)
    purge = purged(tag.image)
    denial = denied(free_user, tag.image)
    issuer = factories.IdTokenIssuerFactory(account=account, name="Cluster", pasted_jwks=factories.jwks())
    policy = factories.TrustPolicyFactory(user=user, audience=settings.PUBLIC_URL, rules=RULES)
    return World(
        cast, user, free_user, namespace, tag, grant, invitation, token, empty, removal, rule, purge, denial,
        old, old_password, policy, issuer, refused(policy), *told(account),
    )  # fmt: skip


def told(account: Account) -> tuple[Webhook, WebhookDelivery]:
    """A receiver of everything in the account that did not answer."""
    webhook = factories.WebhookFactory(account=account)
    delivery = webhook.deliveries.create(
        event_type="image.pushed", subject="red/app/api:1.0", state="failed", due_at=None, attempts=6
    )
    return webhook, delivery


def refused(policy: TrustPolicy) -> RefusedIdToken:
    """A job of another branch."""
    claims = {"repository_id": "74", "ref": "refs/heads/dev"}
    (wrong,) = rules.match(RULES, claims)
    return factories.RefusedIdTokenFactory(policy=policy, claims=claims, reason=wrong.reason)


def denied(user: RegistryUser, image: Image) -> Denial:
    """It wanted to push, and had no permission."""
    verdict = access.decide(access.AccessContext(), access.Action.PUSH)
    now = timezone.now()
    return Denial.objects.create(
        user=user,
        repository=image.repository,
        action="push",
        reason=verdict.reason,
        remedy=verdict.remedy,
        count=3,
        first_at=now - timedelta(days=1),
        last_at=now,
        address="192.0.2.7",
        client="docker/27.5.1",
    )


def purged(image: Image) -> Purge:
    """It deleted something, and that can be put back."""
    purge = Purge.objects.create(namespace=image.namespace, image=image, state="done", requested_by="owner")
    gone = Removal.objects.create(
        image=image, kind="delete", state="done", due_at=None, requested_by="owner", purge=purge
    )
    gone.items.create(digest=factories.digest_of("gone"), state="done", outcome="done")
    return purge


def snapshot() -> dict[str, list[Any]]:
    """Every row of our own tables, but for what says that somebody looked."""
    rows = {}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # one question: each of forty is a way to the server and back
            cursor.execute(_statement())
            return dict(zip(_statements(), cursor.fetchone(), strict=True))
        for name, statement in _statements().items():
            cursor.execute(statement)
            rows[name] = cursor.fetchall()
    return rows


@cache
def _statements() -> dict[str, str]:
    """Written once: a test takes several snapshots, and the ORM needs longer for a statement than the database."""
    found = {}
    for app in ("accounts", "namespaces", "registry_sync"):
        for model in apps.get_app_config(app).get_models():
            columns = [
                field.attname for field in model._meta.concrete_fields if field.name != "last_viewed_at"
            ]
            found[model.__name__] = str(model._default_manager.order_by("pk").values_list(*columns).query)
    return found


@cache
def _statement() -> str:
    tables = [f"(SELECT json_agg(rows) FROM ({each}) AS rows)" for each in _statements().values()]  # noqa: S608
    return "SELECT " + ", ".join(tables)
