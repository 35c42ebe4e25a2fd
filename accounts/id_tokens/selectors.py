"""What operators read about issuers: the list, and who trusts each. Who may read was decided at the gate."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts.id_tokens import keys
from accounts.models import Account, IdTokenIssuer, TrustPolicy


@dataclass(frozen=True, slots=True)
class IssuerUse:
    """How many trust an issuer, by a policy that is not disabled."""

    policies: int
    users: int
    accounts: int


def with_user_count(issuers: QuerySet[IdTokenIssuer]) -> QuerySet[IdTokenIssuer]:
    """Give each `.user_count`: how many users trust it."""
    trusting = Count("trust_policies__user", filter=Q(trust_policies__disabled_at=None), distinct=True)
    return issuers.annotate(user_count=trusting)


def shared_issuers() -> QuerySet[IdTokenIssuer]:
    """Return the installation's issuers, each with `.user_count`: how many users trust it."""
    return with_user_count(IdTokenIssuer.objects.filter(account=None)).order_by("url", "name", "id")


def failing_issuers() -> QuerySet[IdTokenIssuer]:
    """Return the issuers that a user trusts and whose keys could not be fetched at the last attempt."""
    return keys.fetched().filter(keys.is_trusted()).exclude(problem="").order_by()


def issuer_use(issuer: IdTokenIssuer) -> IssuerUse:
    found = TrustPolicy.objects.filter(issuer=issuer, disabled_at=None).order_by()
    counts = found.aggregate(
        policies=Count("pk"),
        users=Count("user", distinct=True),
        accounts=Count("user__account", distinct=True),
    )
    return IssuerUse(**counts)


def accounts_trusting(issuer: IdTokenIssuer) -> QuerySet[Account]:
    """Return the accounts whose users trust it, each with `.user_count`: how many of them do."""
    trusting = Account.objects.filter(
        users__trust_policies__issuer=issuer, users__trust_policies__disabled_at=None
    )
    return trusting.annotate(user_count=Count("users", distinct=True)).order_by("name", "id")
