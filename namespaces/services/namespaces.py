"""Creating, publishing and deleting namespaces."""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.errors import Conflict, Invalid
from accounts.limits import make_room
from accounts.models import Account
from accounts.principal import Principal
from accounts.speech import spoken
from namespaces import names
from namespaces.limits import NAMESPACES
from namespaces.models import Image, Namespace, ReservedName

# The registry accepts a token 60 s past its end; one more minute for clocks that disagree.
_TOKEN_GRACE = timedelta(seconds=120)


def create(*, by: Principal, account: Account, name: str) -> Namespace:
    """Raises Invalid or Conflict on `name`."""
    problem = names.namespace_problem(name)
    if problem:
        raise Invalid.on("name", spoken(problem))
    try:
        with transaction.atomic():
            if not ReservedName.objects.filter(
                name=name, only_account_id=account.pk
            ).exists():  # counted already
                make_room(NAMESPACES, account, field="name")
            namespace = Namespace.objects.create(account=account, name=name)
            # Only now: creating waited for a deletion of the same name that was not committed yet.
            _check_not_reserved(account, name)
            audit.record(by=by, action="namespace.created", kind="namespace", id=namespace.pk, label=name,
                         account=account)  # fmt: skip
            return namespace
    except IntegrityError:  # the unique index decides; asking first would lose a race
        raise Conflict.on("name", _("This name is taken. Names are unique in the whole registry.")) from None


@transaction.atomic
def set_public(*, by: Principal, namespace: Namespace, public: bool) -> Namespace:
    before, namespace.public = namespace.public, public
    if before != public:
        namespace.save(update_fields=["public"])
        audit.record(by=by, action="namespace.published" if public else "namespace.unpublished",
                     kind="namespace", id=namespace.pk, label=namespace.name, account=namespace.account,
                     before={"public": before}, after={"public": public})  # fmt: skip
    return namespace


@transaction.atomic
def delete(*, by: Principal, namespace: Namespace, typed_name: str) -> None:
    """Only an empty namespace goes, and its grants with it; its name stays reserved for a while."""
    if typed_name != namespace.name:
        raise Invalid.on("typed_name", _("Type %(name)s to confirm.") % {"name": namespace.name})
    Namespace.objects.select_for_update().get(pk=namespace.pk)
    images = Image.objects.filter(namespace=namespace)
    if images.filter(tag_count__gt=0).exists():
        raise Conflict.on("", _("The namespace still has images; delete their tags first."))
    ReservedName.objects.update_or_create(
        name=namespace.name,
        defaults={
            "until": timezone.now() + timedelta(seconds=settings.TOKEN_TTL) + _TOKEN_GRACE,
            "only_account_id": namespace.account_id if images.exists() else None,
        },
    )
    audit.record(by=by, action="namespace.deleted", kind="namespace", id=namespace.pk, label=namespace.name,
                 account=namespace.account, before={"public": namespace.public})  # fmt: skip
    images.delete()
    namespace.delete()


def _check_not_reserved(account: Account, name: str) -> None:
    reserved = ReservedName.objects.filter(name=name).first()
    if not reserved:
        return
    if reserved.until is None or reserved.only_account_id not in (None, account.pk):
        # Whose it was, or that it holds repositories, is nobody else's business.
        raise Conflict.on("name", _("This name is taken. Names are unique in the whole registry."))
    if reserved.until > timezone.now():
        sentence = _("This name was deleted a moment ago; it is free again at %(time)s UTC.")
        raise Conflict.on("name", sentence % {"time": reserved.until.strftime("%H:%M:%S")})
    reserved.delete()
