"""What a job got in place of its ID token is none of the two passwords that rotate, and can always be ended."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import selectors
from accounts.common.errors import Conflict
from accounts.expiring_users import expiring
from accounts.models import AuditEvent, RegistryUser, Secret, TrustPolicy
from accounts.services import passwords, users
from namespaces import expiry_mail
from tests import factories
from tests.cast import Cast


@pytest.fixture
def user(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


@pytest.fixture
def policy(user: RegistryUser) -> TrustPolicy:
    return factories.TrustPolicyFactory(user=user)


def swapped(policy: TrustPolicy) -> Secret:
    text = factories.add_password(
        policy.user, policy=policy, expires_at=timezone.now() + timedelta(minutes=30)
    )
    return Secret.objects.get(hint=text[-4:], user=policy.user)


def test_two_others_rotate_beside_it(cast: Cast, policy: TrustPolicy) -> None:
    user = policy.user
    made = swapped(policy)
    passwords.rotate(by=cast.by("owner"), user=user)
    swapped(policy)
    assert len(passwords.live(user)) == 2
    assert made not in selectors.passwords_of(user)
    assert len(selectors.swapped_passwords_of(user)) == 2


def test_it_ends_alone(cast: Cast, policy: TrustPolicy) -> None:
    made = swapped(policy)
    passwords.end(by=cast.by("owner"), secret=made)
    assert not selectors.swapped_passwords_of(policy.user)
    assert len(passwords.live(policy.user)) == 1
    assert AuditEvent.objects.get(action="user.password_ended").before == {"password": made.shown}


def test_it_leaves_the_end_of_the_old_password_as_it_is(cast: Cast, policy: TrustPolicy) -> None:
    user = policy.user
    passwords.rotate(by=cast.by("owner"), user=user, unused_days=7)
    passwords.end(by=cast.by("owner"), secret=swapped(policy))
    assert passwords.live(user)[-1].retire_after_unused_days == 7


def test_it_is_no_reason_to_let_the_only_password_end(cast: Cast, policy: TrustPolicy) -> None:
    swapped(policy)
    TrustPolicy.objects.update(disabled_at=timezone.now())
    (only,) = passwords.live(policy.user)
    with pytest.raises(Conflict):
        passwords.end(by=cast.by("owner"), secret=only)


def test_the_only_password_of_a_user_with_a_trust_policy_can_end(cast: Cast, policy: TrustPolicy) -> None:
    (only,) = passwords.live(policy.user)
    passwords.end(by=cast.by("owner"), secret=only)
    assert not passwords.live(policy.user)


def test_not_where_the_issuer_is_disabled(cast: Cast, policy: TrustPolicy) -> None:
    policy.issuer.enabled = False
    policy.issuer.save()
    (only,) = passwords.live(policy.user)
    with pytest.raises(Conflict):
        passwords.end(by=cast.by("owner"), secret=only)


def test_it_cannot_retire(cast: Cast, policy: TrustPolicy) -> None:
    made = swapped(policy)
    passwords.rotate(by=cast.by("owner"), user=policy.user)
    with pytest.raises(Conflict):
        passwords.retire(by=cast.by("owner"), secret=made, unused_days=7)


def test_replacing_the_password_ends_it_too(cast: Cast, policy: TrustPolicy) -> None:
    swapped(policy)
    passwords.replace(by=cast.by("owner"), user=policy.user)
    assert not selectors.swapped_passwords_of(policy.user)


def test_nobody_is_warned_of_its_end(cast: Cast, policy: TrustPolicy) -> None:
    user, now = policy.user, timezone.now()
    Secret.objects.all().delete()
    swapped(policy)
    until = now + timedelta(days=30)
    assert not RegistryUser.objects.filter(expiring(now, until))
    assert not user.password_ends_soon
    assert not list(expiry_mail.endings(now, until))
    factories.add_password(user, expires_at=now + timedelta(hours=1))
    assert RegistryUser.objects.filter(expiring(now, until))
    assert len(list(expiry_mail.endings(now, until))) == 1


def test_a_user_without_a_password_is_used_when_its_tokens_are(cast: Cast) -> None:
    user, password = users.create(
        by=cast.by("owner"), account=cast.account, description="CI", expires_at=None, with_password=False
    )
    assert (password, list(selectors.passwords_of(user))) == ("", [])
    assert selectors.used_newest_password(user) is None
    user.last_used_at = timezone.now()
    assert selectors.used_newest_password(user) == user
