"""What a sign-in at the provider is worth in the panel: how long, and which roles it brings."""

from collections.abc import Collection
from datetime import timedelta

from allauth.account.internal.flows.login import get_authentication_records
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Person
from accounts.services import group_memberships, people

PROVIDER = "sso"  # in URLs, and in allauth’s rows
METHOD = "socialaccount"  # as allauth calls it in a session


def groups_of(login: SocialLogin) -> list[str]:
    """Return the groups that the provider named at this sign-in."""
    return list(login.account.extra_data.get("userinfo", {}).get("groups", []))


def follow_groups(person: Person, groups: Collection[str]) -> None:
    """Bring the person's memberships up to date with their groups at the provider."""
    group_memberships.apply(person=person, groups=groups)


def bound(request: HttpRequest) -> None:
    """End this session after OIDC_SESSION_HOURS, however much it is used: the next one has the groups of then."""
    request.session.set_expiry(timezone.now() + timedelta(hours=settings.OIDC_SESSION_HOURS))


def may_begin(request: HttpRequest, person: Person, *, linking: bool) -> bool:
    """Whether this sign-in may go on. With OIDC_ONLY it must be the provider's, but an operator's, or one to link."""
    if not settings.OIDC_ONLY or person.is_staff or linking:
        return True
    records = get_authentication_records(request, person)
    return any(each.get("method") == METHOD for each in records) or people.signed_up_by_operator_link(
        email=person.email
    )


def can_confirm(person: Person) -> bool:
    return (
        bool(settings.OIDC_ISSUER) and SocialAccount.objects.filter(provider=PROVIDER, user=person).exists()
    )
