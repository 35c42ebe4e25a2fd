"""The keys of issuers: fetched in the background, kept while an issuer does not answer, and read in memory.

Who verifies a token reads what is in the row, and asks for more by a note in it: the worker alone fetches
(accounts/id_tokens/key_refresh.py).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import jwt
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from accounts.common import clock
from accounts.id_tokens import jwks
from accounts.models import IdTokenIssuer, TrustPolicy

REST: Final = timedelta(minutes=1)  # between two attempts, however often somebody asks
RETRY_AFTER: Final = 5  # seconds until keys that were asked for are there, if their issuer answers


def key_set(issuer: IdTokenIssuer) -> tuple[jwt.PyJWK, ...]:
    """Return the keys that tokens of the issuer are verified with; several may have one name, or none."""
    return jwks.parsed(issuer.key_text)


def ask_refresh(issuer_id: int) -> bool:
    """Note that a token names a key that is not there. Return whether its keys are fetched within a minute.

    They are not where they are pasted, came a moment ago, or did not come several times in a row.
    """
    issuer = fetched().filter(pk=issuer_id).only("tried_at", "next_try_at", "failures").first()
    if not issuer:
        return False
    now = clock.now()
    rested = not issuer.failures and (issuer.tried_at is None or issuer.tried_at <= now - REST)
    if rested and (issuer.next_try_at is None or issuer.next_try_at > now):
        fetched().filter(pk=issuer_id).update(asked_at=now, next_try_at=now)
        return True
    return issuer.next_try_at is None or issuer.next_try_at <= now + REST


def attempts(issuer_ids: Collection[int]) -> list[tuple[object, ...]]:
    """Return what is another value after an attempt to fetch their keys, whether or not any came."""
    rows = IdTokenIssuer.objects.filter(pk__in=issuer_ids).order_by("pk")
    return list(rows.values_list("pk", "jwks_at", "failures", "enabled"))


def any_due() -> bool:
    return due(clock.now()).exists()


def due(now: datetime) -> QuerySet[IdTokenIssuer]:
    """Return those that are due and wanted: a policy trusts them, or somebody has asked."""
    asked = Q(asked_at__isnull=False, tried_at=None) | Q(asked_at__gt=F("tried_at"))
    return fetched().filter(Q(next_try_at=None) | Q(next_try_at__lte=now), is_trusted() | asked)


def is_trusted() -> Q:
    """For a queryset of issuers: whether a policy that is not disabled trusts it."""
    policies = TrustPolicy.objects.filter(issuer=OuterRef("pk"), disabled_at=None)
    # Neither Exists nor the order of keys: PostgreSQL expects one of any issuer among the first, and reads them all.
    return Q(IsNull(Subquery(policies.order_by("created_at").values("pk")[:1]), rhs=False))


def fetched() -> QuerySet[IdTokenIssuer]:
    """Return those whose keys are fetched. An account's own are not: operators alone decide who is asked."""
    return IdTokenIssuer.objects.filter(account=None, enabled=True, pasted_jwks="")
