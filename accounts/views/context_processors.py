"""What the frame around every page shows: the person, their accounts, the chosen one and its tab."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from accounts import reader_preferences, selectors
from accounts.models import Account, Person
from accounts.views.last_account import last

ALL = "home"  # all accounts, to choose from


@dataclass
class Frame:
    person: Person | None = None
    accounts: list[Account] = field(default_factory=list)  # each with .role
    account: Account | None = None  # to which the page belongs
    beside: Account | None = None  # whose tabs are shown: that, else the one that was open last
    tab: str = ""
    registry_host: str = ""
    signup_open: bool = False
    mail_folder: str = ""
    sso_name: str = ""  # of the provider; "" where there is none
    sso_only: bool = False
    zone: str = ""
    exact_times: bool = False
    other_languages: list[tuple[str, str]] = field(default_factory=list)  # each with its own name for itself


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": SimpleLazyObject(lambda: _frame(request))}


def _frame(request: HttpRequest) -> Frame:
    shown = Frame(
        registry_host=settings.REGISTRY_HOST,
        zone=timezone.get_current_timezone_name(),
        exact_times=reader_preferences.exactly(),
        other_languages=[each for each in settings.LANGUAGES if each[0] != get_language()],
        signup_open=settings.SIGNUP == "open" and not settings.OIDC_ONLY,
        sso_name=settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        sso_only=settings.OIDC_ONLY,
        mail_folder="" if settings.EMAIL_URL else str(settings.EMAIL_FILE_PATH),
    )
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject | Person) and user.is_authenticated:
        shown.person = user  # type: ignore[assignment]
        shown.accounts = selectors.accounts_of(person_id=user.pk)
        match = request.resolver_match
        handle = match.kwargs.get("handle") if match else None
        shown.account = next((each for each in shown.accounts if each.handle == handle), None)
        open_last = next((each for each in shown.accounts if each.handle == last(request)), None)
        shown.beside = shown.account or (None if match and match.url_name == ALL else open_last)
        shown.tab = str(getattr(match.func, "tab", "")) if match else ""
    return shown
