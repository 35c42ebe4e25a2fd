"""Creating, publishing and deleting namespaces."""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.limits import make_room
from accounts.models import Account
from accounts.principal import Principal
from namespaces import former_manifests, names
from namespaces.limits import NAMESPACES
from namespaces.models import HAS_CONTENT, CatalogRead, Image, Namespace, ReservedName
from namespaces.services import webhooks

# The registry accepts a token 60 s past its end; one more minute for clocks that disagree.
_TOKEN_GRACE = timedelta(seconds=120)


def create(*, by: Principal, account: Account, name: str) -> Namespace:
    """Make it. Raise Invalid or Conflict on `name`."""
    problem = names.namespace_problem(name)
    if problem:
        raise Invalid.on("name", translate(problem))
    try:
        with transaction.atomic():
            # First, so that no name it counts is had by another way until this one is made.
            Account.objects.select_for_update(no_key=True).get(pk=account.pk)
            if not ReservedName.objects.filter(name=name, account=account).exists():  # else counted already
                make_room(NAMESPACES, account, field="name")
            if _reserve(name, account).account_id != account.pk:
                raise _taken()
            if not CatalogRead.objects.filter(registry=settings.REGISTRY_URL).exists():
                words = _("The panel has not read the registry’s catalog yet; try again soon.")
                raise Conflict.on("name", words)
            namespace = Namespace.objects.create(account=account, name=name)
            audit.record(by=by, action=AuditAction.NAMESPACE_CREATED, kind="namespace", id=namespace.pk, label=name,
                         account=account)  # fmt: skip
            return namespace
    except IntegrityError:  # the unique index decides; asking first would lose a race
        raise _taken() from None


@transaction.atomic
def set_public(*, by: Principal, namespace: Namespace, public: bool) -> Namespace:
    before, namespace.public = namespace.public, public
    if before != public:
        namespace.save(update_fields=["public"])
        audit.record(by=by, action=AuditAction.NAMESPACE_PUBLISHED if public else AuditAction.NAMESPACE_UNPUBLISHED,
                     kind="namespace", id=namespace.pk, label=namespace.name, account=namespace.account,
                     before={"public": before}, after={"public": public})  # fmt: skip
    return namespace


@transaction.atomic
def delete(*, by: Principal, namespace: Namespace, confirmation: str) -> None:
    """Delete an empty namespace, and its grants and webhooks with it; its name stays the account's.

    Raise NotFound, Invalid or Conflict.
    """
    if confirmation != namespace.name:
        raise Invalid.on("confirmation", _("Type %(name)s to confirm.") % {"name": namespace.name})
    reserved = _reserve(namespace.name, namespace.account)
    if not Namespace.objects.select_for_update().filter(pk=namespace.pk).first():
        raise NotFound  # somebody else deleted it meanwhile
    images = Image.objects.filter(namespace=namespace)
    if images.filter(HAS_CONTENT).exists():
        raise Conflict.on("", _("The namespace still has images; delete them first."))
    reserved.account = namespace.account
    reserved.until = timezone.now() + timedelta(seconds=settings.TOKEN_TTL_SECONDS) + _TOKEN_GRACE
    reserved.save(update_fields=["account", "until"])
    audit.record(by=by, action=AuditAction.NAMESPACE_DELETED, kind="namespace", id=namespace.pk, label=namespace.name,
                 account=namespace.account, before={"public": namespace.public})  # fmt: skip
    webhooks.record_removal_with(namespace, by=by)
    former_manifests.keep(images)
    images.delete()
    namespace.delete()


def _reserve(name: str, account: Account) -> ReservedName:
    """Return whose the name is, `account`'s if it was nobody's; ours alone until the commit.

    Always taken before the namespace, so that no two wait for each other crosswise.
    """
    row, _new = ReservedName.objects.select_for_update().get_or_create(
        name=name, defaults={"account": account}
    )
    return row


def _taken() -> Conflict:
    """Whose it is or was, or that the registry holds something under it, is nobody else's business."""
    return Conflict.on("name", _("This name is taken. Names are unique in the whole registry."))
