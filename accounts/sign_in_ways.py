"""Who signs in by single sign-on, and by nothing else."""

from allauth.socialaccount.models import SocialAccount
from django.db.models import Exists, OuterRef

from accounts.models import Person


def has_single_sign_on() -> Exists:
    """For a queryset of persons."""
    return Exists(SocialAccount.objects.filter(user=OuterRef("pk")))


def signs_in_by_provider_only(person: Person) -> bool:
    """Return whether a password would be a second way in, which the provider does not know of."""
    if person.has_usable_password():
        return False
    brought: bool | None = getattr(person, "single_sign_on", None)  # from accounts/people_list.py
    return SocialAccount.objects.filter(user=person).exists() if brought is None else brought
