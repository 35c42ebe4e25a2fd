"""Rows for tests. Each factory makes the least that is valid; a test names only what it is about."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import factory
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from factory.django import DjangoModelFactory

from accounts import credentials
from accounts.models import (
    Account,
    IdTokenIssuer,
    Member,
    Person,
    RefusedIdToken,
    RegistryUser,
    Secret,
    TrustPolicy,
)
from accounts.peppers import peppers
from namespaces.access import Level
from namespaces.models import Grant, Image, Manifest, Namespace, RepositoryManifest, Tag, Webhook
from namespaces.webhooks import stored_secrets
from namespaces.webhooks.stored_secrets import WebhookSecrets

PASSWORD = "correct horse battery"  # of every person


class PersonFactory(DjangoModelFactory[Person]):
    class Meta:
        model = Person
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    password = factory.django.Password(PASSWORD)


class AccountFactory(DjangoModelFactory[Account]):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Account {n}")
    handle = factory.Sequence(lambda n: f"account-{n}")


class MemberFactory(DjangoModelFactory[Member]):
    class Meta:
        model = Member

    account = factory.SubFactory(AccountFactory)
    person = factory.SubFactory(PersonFactory)
    role = "owner"


class RegistryUserFactory(DjangoModelFactory[RegistryUser]):
    """A user with one password, in clear as `.password` on the object that the factory returns."""

    class Meta:
        model = RegistryUser
        skip_postgeneration_save = True

    account = factory.SubFactory(AccountFactory)
    # Digits alone: no word that a test looks for, or does not expect, is in it.
    username = factory.Sequence(lambda n: f"u{int(digest_of(f'user {n}')[7:], 16) % 10**11:011}")
    description = factory.Sequence(lambda n: f"User {n}")

    @factory.post_generation
    def password(self: Any, create: bool, extracted: str | None, **_more: Any) -> None:
        self.password = add_password(self, extracted)


class IdTokenIssuerFactory(DjangoModelFactory[IdTokenIssuer]):
    """One of the installation, without keys yet."""

    class Meta:
        model = IdTokenIssuer

    url = factory.Sequence(lambda n: f"https://issuer{n}.example.com")


def jwks() -> str:
    """The public key of nobody, as somebody would paste it."""
    key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    return json.dumps({"keys": [key | {"kid": "one", "use": "sig"}]})


class TrustPolicyFactory(DjangoModelFactory[TrustPolicy]):
    class Meta:
        model = TrustPolicy

    user = factory.SubFactory(RegistryUserFactory)
    issuer = factory.SubFactory(IdTokenIssuerFactory)
    audience = "https://panel.example.com"
    rules = factory.LazyFunction(lambda: {"repository_id": {"is": ["74"]}})


class RefusedIdTokenFactory(DjangoModelFactory[RefusedIdToken]):
    """Refused for its claims, once."""

    class Meta:
        model = RefusedIdToken

    policy = factory.SubFactory(TrustPolicyFactory)
    user = factory.SelfAttribute("policy.user")
    issuer = factory.SelfAttribute("policy.issuer")
    kind = RefusedIdToken.RULES
    fingerprint = factory.Sequence(lambda n: digest_of(f"refused {n}")[7:])
    claims = factory.LazyFunction(lambda: {"repository_id": "75"})
    reason = "“repository_id” is 75; the policy requires 74"
    count = 1
    at = factory.LazyFunction(lambda: datetime.now(UTC))
    address = "192.0.2.7"
    client = "docker/27.5.1"


class NamespaceFactory(DjangoModelFactory[Namespace]):
    class Meta:
        model = Namespace

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence(lambda n: f"namespace{n}")
    created_at = datetime(2020, 1, 1, tzinfo=UTC)  # before whatever a test tells of it


class GrantFactory(DjangoModelFactory[Grant]):
    """Read on a whole namespace, of the user's own account."""

    class Meta:
        model = Grant

    user = factory.SubFactory(RegistryUserFactory)
    namespace = factory.SubFactory(NamespaceFactory, account=factory.SelfAttribute("..user.account"))
    level = Level.READ


class ImageFactory(DjangoModelFactory[Image]):
    class Meta:
        model = Image

    namespace = factory.SubFactory(NamespaceFactory)
    name = factory.Sequence(lambda n: f"image{n}")
    pushed_at = factory.LazyFunction(lambda: datetime.now(UTC))


class ManifestFactory(DjangoModelFactory[Manifest]):
    """A plain linux/amd64 image of one layer."""

    class Meta:
        model = Manifest

    digest = factory.Sequence(lambda n: digest_of(f"manifest {n}"))
    media_type = "application/vnd.oci.image.manifest.v1+json"
    kind = "image"
    size = 1_000_000
    platforms = factory.LazyAttribute(
        lambda row: [{"platform": "linux/amd64", "digest": row.digest, "size": row.size}]
    )


class RepositoryManifestFactory(DjangoModelFactory[RepositoryManifest]):
    """That an image holds a manifest; tags of the sync always come with one."""

    class Meta:
        model = RepositoryManifest

    image = factory.SubFactory(ImageFactory)
    manifest = factory.SubFactory(ManifestFactory)


class TagFactory(DjangoModelFactory[Tag]):
    """Keeps its image's `tag_count` and `latest_tag` as the sync would."""

    class Meta:
        model = Tag
        skip_postgeneration_save = True

    image = factory.SubFactory(ImageFactory)
    name = factory.Sequence(lambda n: f"1.{n}.0")
    manifest = factory.SubFactory(ManifestFactory)
    size = factory.SelfAttribute("manifest.size")
    pushed_at = factory.LazyFunction(lambda: datetime.now(UTC))

    @factory.post_generation
    def summary(self: Any, create: bool, _extracted: object, **_more: Any) -> None:
        image = self.image
        image.tag_count, image.latest_tag = image.tags.count(), self.name
        image.size, image.pushed_at = self.manifest.size, self.pushed_at
        image.save()


class WebhookFactory(DjangoModelFactory[Webhook]):
    """Of a whole account; told of pushes."""

    class Meta:
        model = Webhook

    url = "https://hooks.example.com/"
    format = "cloudevents"
    event_types = factory.List(["image.pushed"])
    secrets = factory.LazyAttribute(
        lambda row: stored_secrets.encrypt(
            WebhookSecrets(url=row.url, signing=stored_secrets.new_signing_secret())
        )
    )


def restart(*, at: int = 0) -> None:
    """A test's rows are called the same whatever ran before it."""
    for made in globals().values():
        if isinstance(made, type) and issubclass(made, DjangoModelFactory):
            made.reset_sequence(at, force=True)


def add_password(user: RegistryUser, text: str | None = None, **more: Any) -> str:
    """One more password for a user, `text` or a fresh one; returns it in clear."""
    text, pepper = text or credentials.make(credentials.USER_PREFIX), peppers()[0]
    Secret.objects.create(
        user=user,
        digest=credentials.digest(text, pepper),
        pepper_version=pepper.version,
        hint=credentials.hint(text),
        **more,
    )
    return text


def use_newest_password(
    user: RegistryUser, at: datetime, address: str = "10.0.0.5", client: str = "docker/27"
) -> None:
    used = {"last_used_at": at, "last_used_from": address, "last_used_with": client}
    RegistryUser.objects.filter(pk=user.pk).update(**used)
    Secret.objects.filter(pk=Secret.objects.filter(user=user).latest("pk").pk).update(**used)


def digest_of(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
