"""Passwords that a job swaps its ID token for, so that a long build can push at its end.

Each ends after an hour at most, and at once when its trust policy or the issuer ends (the token server's statement says
so), when the policy's rules change, when a key is taken out of the issuer by hand or its kind changes, or when a person
ends it. It is none of the two passwords that rotate.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import credentials
from accounts.audit_actions import AuditAction
from accounts.common.client_ip import Origin
from accounts.common.errors import NotFound, RateLimited
from accounts.id_tokens import jwks
from accounts.models import IdTokenIssuer, RegistryUser, Secret, TrustPolicy
from accounts.peppers import peppers
from accounts.principal import Kind, Principal
from accounts.services.user_records import lock, record

LIVE_MOST: Final = 100  # of a user
SECONDS_LEAST, SECONDS_MOST = 300, 3600
# For so long a client is told that its password has ended, and not that it is wrong.
_SAID_TO_HAVE_ENDED: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy and its issuer said when they let an ID token in. `rules` and `keys` (a JWKS) are JSON."""

    rules: str
    audience: str
    pull_requests_may_push: bool
    preset: str
    keys: str

    def is_still(self, policy: TrustPolicy, issuer: IdTokenIssuer) -> bool:
        said = json.loads(self.rules), self.audience, self.pull_requests_may_push, self.preset
        now = policy.rules, policy.audience, policy.pull_requests_may_push, issuer.preset
        return said == now and jwks.holds_all(issuer.pasted_jwks or issuer.jwks, self.keys)


@transaction.atomic
def swap(*, policy_id: int, judged_by: Judged, seconds: int, origin: Origin) -> str:
    """Return a password for the user of the policy that has let an ID token in just now; it works for `seconds`.

    Raise NotFound if the policy has ended meanwhile or says something else, RateLimited while LIVE_MOST work.
    """
    policy = TrustPolicy.objects.enabled().select_related("user__account").filter(pk=policy_id).first()
    if not policy:
        raise NotFound
    user = policy.user
    lock(user)
    # Who edits the issuer has ended what there is, or waits until this one is there.
    issuer = IdTokenIssuer.objects.select_for_update(no_key=True).filter(pk=policy.issuer_id).first()
    policy_now = TrustPolicy.objects.enabled().filter(pk=policy_id).first()
    # Changed before we had the locks.
    if not issuer or not policy_now or not judged_by.is_still(policy_now, issuer):
        raise NotFound
    _forget_ended(user, origin.at)
    _make_room(user)
    password, pepper = credentials.make(credentials.USER_PREFIX), peppers()[0]
    ends = timezone.now() + timedelta(seconds=seconds)
    made = Secret.objects.create(
        user=user,
        policy=policy,
        digest=credentials.digest(password, pepper),
        pepper_version=pepper.version,
        hint=credentials.hint(password),
        expires_at=ends,
    )
    label = f"{user.description} ({user.username})"
    by = Principal(kind=Kind.USER, id=user.pk, label=label, address=origin.address, client=origin.client)
    after = {"password": made.shown, "policy": policy.shown, "expires_at": ends.isoformat()}
    record(by, AuditAction.USER_PASSWORD_SWAPPED, user, after=after)
    return password


def end_all(policy: TrustPolicy) -> None:
    """End those of a policy, whose user is locked."""
    Secret.objects.filter(policy=policy).delete()


def end_all_of_issuer(issuer: IdTokenIssuer) -> None:
    Secret.objects.filter(policy__issuer=issuer).delete()


def forget_ended(now: datetime) -> None:
    Secret.objects.filter(policy__isnull=False, expires_at__lte=now - _SAID_TO_HAVE_ENDED).delete()


def _forget_ended(user: RegistryUser, now: datetime) -> None:
    ended = Secret.objects.filter(user=user, policy__isnull=False, expires_at__lte=now)
    kept = ended.order_by("-expires_at").values_list("pk", flat=True)[:LIVE_MOST]
    ended.exclude(pk__in=list(kept)).delete()


def _make_room(user: RegistryUser) -> None:
    now = timezone.now()
    working = Secret.objects.live(now).filter(user=user, policy__isnull=False).order_by("expires_at")
    ends = list(working.values_list("expires_at", flat=True)[:LIVE_MOST])
    if len(ends) >= LIVE_MOST and ends[0]:
        wait = int((ends[0] - now).total_seconds()) + 1
        sentence = _("This user already has %(most)s passwords that jobs got for ID tokens.")
        raise RateLimited(sentence % {"most": LIVE_MOST}, wait=wait)
