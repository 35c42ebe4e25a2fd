"""The demo's person, account, users, namespaces and permissions; and what is pushed."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone

from accounts.models import Account, Person, RegistryUser
from accounts.principal import Principal
from accounts.services import accounts, passwords, users
from accounts.views.request import principal_for
from manager.demo import artifacts, push_client
from manager.demo.push_client import Pusher
from manager.demo.sample_images import SampleImage, push
from namespaces.models import Namespace
from namespaces.services import grants, namespaces
from registry_sync.jobs import request_sync
from registry_sync.models import RetentionRule
from registry_sync.retention import service

EMAIL = "demo@example.com"
PUSHER = "Demo push"
SIGNED = "/web"
SOURCE = {
    "org.opencontainers.image.source": "https://example.com/shop",
    "org.opencontainers.image.licenses": "MIT",
}
API = SOURCE | {"org.opencontainers.image.description": "Takes orders and answers with receipts"}
BOTH = ("linux/amd64", "linux/arm64")
IMAGES = {
    "shop": [
        SampleImage("api", ["1.0", "1.1", "1.2", "latest"], ("base", "deps", "app"), labels=API),
        SampleImage("web", ["2.0", "latest"], ("base", "app"), BOTH, SOURCE),
        SampleImage("worker", ["1.9", "1.10"]),
        SampleImage("team/tools/migrate", ["latest"]),
        SampleImage("nightly", [f"build-{number}" for number in range(1, 151)]),
        SampleImage("mail", ["latest"]),
        SampleImage("search", ["0.1", "0.2"]),
    ],
    "tools": [
        SampleImage("lint", ["latest"], platforms=BOTH),
        SampleImage("backup", ["3", "latest"]),
        SampleImage("proxy", ["latest"]),
        SampleImage("cron", ["2026-05"]),
        SampleImage("debug", ["latest"]),
    ],
}

PULLED = {"api": ["1.2", "latest", "latest"], "web": ["latest"], "search": ["0.2"]}


def make(say: Callable[[str], None]) -> None:
    push_client.need(settings.REGISTRY_URL)
    person, password = _person()
    by = principal_for(person, {})
    account = Account.objects.filter(members__person=person, closed_at=None).first()
    account = account or accounts.open_account(by=by, name="Harbour Street")
    user, secret = _pusher(by, account)
    spaces = {name: _namespace(by, account, name, public=name == "tools") for name in (*IMAGES, "empty")}
    for name, samples in IMAGES.items():
        if not user.grants.filter(namespace=spaces[name]).exists():
            grants.give(by=by, namespace=spaces[name], user=user, level="write")
        for sample in samples:
            say(f"pushing {spaces[name].name}/{sample.name} ({len(sample.tags)} tags) ...")
            repository = f"{spaces[name].name}/{sample.name}"
            to = Pusher(settings.REGISTRY_URL, repository, user.username, secret)
            pushed = push(to, sample)
            if repository.endswith(SIGNED):
                artifacts.hang_onto(to, pushed)
    chart = f"{spaces['shop'].name}/charts/web"
    artifacts.push_chart(Pusher(settings.REGISTRY_URL, chart, user.username, secret), "web")
    _users(by, account, spaces["shop"])
    _rule(by, spaces["shop"], "nightly")
    request_sync(by=by)
    say(f"demo: sign in at {settings.PUBLIC_URL}/me/login/ as {EMAIL} with the password {password}")


def _person() -> tuple[Person, str]:
    person = Person.objects.filter(email=EMAIL).first() or Person.objects.create_user(EMAIL)
    password = secrets.token_urlsafe(12)
    person.set_password(password)
    person.save(update_fields=["password"])
    EmailAddress.objects.get_or_create(user=person, email=EMAIL, defaults={"verified": True, "primary": True})
    return person, password


def _pusher(by: Principal, account: Account) -> tuple[RegistryUser, str]:
    """Return the same user each time, with a new password: nobody has the old one."""
    if found := RegistryUser.objects.filter(account=account, description=PUSHER).first():
        return found, passwords.replace(by=by, user=found)
    return users.create(by=by, account=account, description=PUSHER, expires_at=None)


def _namespace(by: Principal, account: Account, name: str, *, public: bool) -> Namespace:
    found = Namespace.objects.filter(account=account, name=name).first()
    found = found or namespaces.create(by=by, account=account, name=name)
    return namespaces.set_public(by=by, namespace=found, public=public)


def _rule(by: Principal, shop: Namespace, image: str) -> None:
    """Off, as every new rule is; its page lists what it would remove."""
    if not RetentionRule.objects.filter(namespace=shop, image_name=image).exists():
        service.create(by=by, namespace=shop, image_name=image, conditions=service.Conditions(keep_last=20))


def _users(by: Principal, account: Account, shop: Namespace) -> None:
    """Make a puller, one for a single image that is not pushed yet, one that expires soon, one disabled."""
    if RegistryUser.objects.filter(account=account, description="Production servers").exists():
        return
    puller, secret = users.create(by=by, account=account, description="Production servers", expires_at=None)
    grants.give(by=by, namespace=shop, user=puller, level="read")
    for image, tags in PULLED.items():
        Pusher(settings.REGISTRY_URL, f"{shop.name}/{image}", puller.username, secret).pull(*tags)
    soon = timezone.now() + timedelta(days=5)
    worker, _secret = users.create(
        by=by, account=account, description="CI of the next service", expires_at=soon
    )
    grants.give(by=by, namespace=shop, user=worker, level="write", image_name="next/service")
    former, _secret = users.create(by=by, account=account, description="Former contractor", expires_at=None)
    grants.give(by=by, namespace=shop, user=former, level="admin")
    users.disable(by=by, user=former)
