"""What a user was allowed and what it did, by image, action and password. The caller has checked the permission."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import DropCounter, RegistryUser, Secret, TrustPolicy
from namespaces.models import LedgerTotal


@dataclass(frozen=True, slots=True)
class UseLine:
    """What let the user in is the password or the trust policy; None where its row is gone.

    With `known` False nobody knows which it was.
    """

    total: LedgerTotal
    password: Secret | None
    known: bool
    policy: TrustPolicy | None = None

    @property
    def repository(self) -> str:
        return f"{self.total.namespace.name}/{self.total.image_name}"


def uses_of(user: RegistryUser, *, secret: int | None = None, search: str = "") -> QuerySet[LedgerTotal]:
    """Return totals of all days that are kept, the last one first. `search` is a part of an image's name."""
    found = LedgerTotal.objects.filter(user=user).select_related("namespace__account")
    if secret is not None:
        found = found.filter(secret=secret)
    if search:
        found = found.filter(Q(image_name__icontains=search) | Q(namespace__name__icontains=search))
    return found.order_by("-last_at", "-id")


def with_passwords(
    totals: Iterable[LedgerTotal], passwords: Iterable[Secret], policies: Iterable[TrustPolicy]
) -> list[UseLine]:
    """`passwords` and `policies`: of the user whose totals they are."""
    of_id = {each.pk: each for each in passwords}
    of_policy = {-each.pk: each for each in policies}
    return [
        UseLine(total, of_id.get(total.secret), bool(total.secret), of_policy.get(total.secret))
        for total in totals
    ]


def entries_dropped(user: RegistryUser) -> DropCounter | None:
    """Return what found no place in the bound lately."""
    return DropCounter.objects.filter(kind=DropCounter.Kind.LEDGER, username=user.username).first()
