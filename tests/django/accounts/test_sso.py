"""Signing in at a real OpenID Connect provider, without a browser; tests/e2e/test_sso.py does it with one."""

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from accounts.models import AuditEvent, Member, Person, SecurityEvent
from accounts.services import group_roles, invitations, people
from accounts.sso import identity
from accounts.sso import provider as ours
from registry_sync.doctor import local
from registry_sync.doctor.result import State
from tests import factories
from tests.cast import Cast, just_signed_in, principal_of
from tests.django.accounts.second_factors import factors
from tests.parts import processes
from tests.parts.oidc_provider import CLIENT_ID, CLIENT_SECRET, RunningProvider

START = "/me/oidc/sso/login/"
LOGIN = "/me/login/"
ANN = {"email": "ann@example.com", "email_verified": True, "name": "Ann", "groups": ["team"]}


@pytest.fixture
def provider(db: None, settings: LazySettings, oidc_provider: RunningProvider) -> RunningProvider:
    settings.OIDC_ISSUER = oidc_provider.issuer
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.OIDC_SCOPES = ["openid", "profile", "email", "groups"]
    settings.OIDC_NAME = "Example ID"
    settings.SIGNUP = "open"
    return oidc_provider


def begin(client: Client, **form: str) -> str:
    """Press the button; return where its page goes on to."""
    answer = client.post(START, {"process": "login", **form})
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.content.decode())
    assert found
    return html.unescape(found[1])


def come_back(
    client: Client,
    provider: RunningProvider,
    subject: str,
    browser: requests.Session | None = None,
    **form: str,
) -> Any:
    there = provider.sign_in(begin(client, **form), subject, browser)
    return client.get(there.removeprefix("http://localhost:8000"), follow=True)


def text(answer: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", answer.content.decode()))


def signed_in(client: Client) -> str:
    """Return the address of whoever is signed in, "" for nobody."""
    person = Person.objects.filter(pk=client.session.get("_auth_user_id", 0)).first()
    return person.email if person else ""


def test_somebody_signs_up_and_in(provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    client = Client()
    come_back(client, provider, "ann")
    assert signed_in(client) == "ann@example.com"
    person = Person.objects.get(email="ann@example.com")
    assert not person.has_usable_password()
    assert EmailAddress.objects.get(user=person).verified
    again = Client()
    come_back(again, provider, "ann")
    assert signed_in(again) == "ann@example.com"
    assert Person.objects.count() == 1


def test_what_is_asked_of_the_provider(provider: RunningProvider) -> None:
    first, second = (parse_qs(urlsplit(begin(Client())).query) for _time in range(2))
    assert first["redirect_uri"] == ["http://localhost:8000/me/oidc/sso/login/callback/"]
    assert first["code_challenge_method"] == ["S256"]
    assert first["scope"] == ["openid profile email groups"]
    assert "prompt" not in first
    for secret in ("state", "nonce", "code_challenge"):
        assert len(first[secret][0]) >= 16
        assert first[secret] != second[secret]


def test_the_page_that_goes_on_keeps_the_policy_strict(provider: RunningProvider) -> None:
    answer = Client().post(START, {"process": "login"})
    assert "form-action 'self'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_only_a_form_of_ours_begins_it(provider: RunningProvider) -> None:
    assert Client().get(START).headers["Location"] == LOGIN
    assert Client(enforce_csrf_checks=True).post(START, {"process": "login"}).status_code == 403


def test_a_flood_of_beginnings_writes_no_flood_of_sessions(provider: RunningProvider) -> None:
    answers = [Client().post(START, {"process": "login"}).status_code for _each in range(65)]
    assert answers == [200] * 60 + [429] * 5
    assert Session.objects.count() == 60


def test_the_next_page_is_kept(provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    answer = come_back(Client(), provider, "ann", next="/me/sessions/")
    assert answer.redirect_chain[-1][0] == "/me/sessions/"
    answer = come_back(Client(), provider, "ann", next="https://elsewhere.example.com/")
    assert answer.redirect_chain[-1][0] == "/"


@pytest.mark.parametrize("address", ["", "/me/oidc/google/login/", "/me/oidc/openid_connect/login/"])
def test_no_provider_no_pages(db: None, settings: LazySettings, address: str) -> None:
    if address:
        settings.OIDC_ISSUER = "https://login.example.com"
    for path in (address or START, f"{address or START}callback/"):
        assert Client().get(path).status_code == 404
        assert Client().post(path).status_code in (404, 405)
    if not address:
        assert b"/me/oidc/" not in Client().get(LOGIN).content


def test_without_a_provider_what_is_left_of_links_has_no_page(cast: Cast) -> None:
    row = SocialAccount.objects.create(provider="sso", uid="earlier", user=cast.viewer)
    client = just_signed_in(cast.client("viewer"))
    for path in ("", "confirm/", "link/", f"{row.pk}/unlink/"):
        assert client.get(f"/me/sso/{path}").status_code == 404, path
        assert client.post(f"/me/sso/{path}").status_code == 404, path


# Whoever does not come from the provider ------------------------------------------------------------------


@pytest.mark.parametrize("change", ["no state", "other browser", "twice"])
def test_the_way_back_is_of_one_browser_and_once(provider: RunningProvider, change: str) -> None:
    provider.person("ann", **ANN)
    client = Client()
    there = provider.sign_in(begin(client), "ann").removeprefix("http://localhost:8000")
    if change == "no state":
        there = re.sub(r"state=[^&]+", "state=", there)
    if change == "twice":
        client.get(there)
        client = client_with_the_session_of(client)
    answer = (Client() if change == "other browser" else client).get(there)
    assert answer.status_code == 403
    assert "started in another browser" in text(answer)


def client_with_the_session_of(client: Client) -> Client:
    client.post("/me/logout/")
    return client


def test_a_code_of_another_sign_in_is_refused(provider: RunningProvider) -> None:
    """Somebody lures another into finishing what they began themselves: PKCE holds the two apart."""
    provider.person("ann", **ANN)
    mine, theirs = Client(), Client()
    code = parse_qs(urlsplit(provider.sign_in(begin(mine), "ann")).query)["code"][0]
    state = parse_qs(urlsplit(begin(theirs)).query)["state"][0]
    answer = theirs.get(f"{START}callback/", {"code": code, "state": state})
    assert answer.status_code == 403
    assert "did not confirm this sign-in" in text(answer)
    assert signed_in(theirs) == ""


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("access_denied", 403, "You did not sign in at Example ID"),
        ("temporarily_unavailable", 503, "at the moment"),
        ("<b>invalid_scope", 403, "refused the request of this panel"),
    ],
)
def test_errors_of_the_provider_are_said(
    provider: RunningProvider, error: str, status: int, words: str
) -> None:
    client = Client()
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    answer = client.get(
        f"{START}callback/", {"error": error, "error_description": "<i>x</i>", "state": state}
    )
    assert answer.status_code == status
    assert words in text(answer)
    assert b"<i>x" not in answer.content
    assert b"<b>invalid" not in answer.content


def test_an_answer_of_another_provider_is_none(provider: RunningProvider) -> None:
    client = Client()
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    answer = client.get(f"{START}callback/", {"code": "x", "state": state, "iss": "https://evil.example.com"})
    assert answer.status_code == 403
    assert "comes from a provider other than" in text(answer)


def test_the_doctor_asks_it(provider: RunningProvider, settings: LazySettings) -> None:
    assert local.sign_in_provider().state is State.OK
    settings.OIDC_ISSUER = f"http://localhost:{processes.free_port()}"
    down = local.sign_in_provider()
    assert down.state is State.FAIL
    assert "Nothing answers at localhost" in down.text
    ours.breaker.failed(0)
    settings.OIDC_ISSUER = f"{provider.issuer}/elsewhere"
    assert "answers 404" in local.sign_in_provider().text
    settings.OIDC_ISSUER = ""
    assert local.sign_in_provider().state is State.OK


def test_who_is_invited_signs_up_there(cast: Cast, provider: RunningProvider, settings: LazySettings) -> None:
    settings.SIGNUP = "invite"
    provider.person("ann", **ANN)
    _invitation, link = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    client = Client()
    page = client.get(f"/invite/{link}/", follow=True)
    assert "Sign in with Example ID" in text(page)
    answer = come_back(client, provider, "ann")
    assert answer.redirect_chain[-1][0] == "/invite/"
    client.post("/invite/")
    assert Member.objects.get(account=cast.account, person__email="ann@example.com").role == "viewer"
    late = Client()
    late.get(f"/invite/{link}/")
    provider.person("bob", email="bob@example.com", email_verified=True)
    come_back(late, provider, "bob")
    assert signed_in(late) == ""


def test_the_provider_is_down(provider: RunningProvider, settings: LazySettings) -> None:
    settings.OIDC_ISSUER = f"http://localhost:{processes.free_port()}"
    answer = Client().post(START, {"process": "login"})
    assert answer.status_code == 503
    assert "Example ID cannot be reached" in text(answer)
    assert int(answer["Retry-After"]) > 0
    ours.breaker.failed(0)
    assert Client().get(LOGIN).status_code == 200


def test_it_goes_down_meanwhile(provider: RunningProvider, settings: LazySettings) -> None:
    provider.person("ann", **ANN)
    client = Client()
    there = provider.sign_in(begin(client), "ann").removeprefix("http://localhost:8000").partition("&iss=")[0]
    cache.clear()
    settings.OIDC_ISSUER = f"http://localhost:{processes.free_port()}"
    assert client.get(there).status_code == 503
    ours.breaker.failed(0)


def test_an_issuer_with_a_final_slash_is_the_same(provider: RunningProvider, settings: LazySettings) -> None:
    settings.OIDC_ISSUER = f"{provider.issuer}/"
    provider.person("ann", **ANN)
    client = Client()
    come_back(client, provider, "ann")
    assert signed_in(client) == "ann@example.com"


# Addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": None}, "sent no valid email address"),
        ({"email": "ann"}, "sent no valid email address"),
        ({"email": "ann@"}, "sent no valid email address"),
        ({"email": "ann@intranet"}, "sent no valid email address"),
        ({"email": "ann x@example.com"}, "sent no valid email address"),
        ({"email": "a\x00nn@example.com"}, "sent no valid email address"),
        ({"email_verified": False}, "has not confirmed that ann@example.com is your address"),
        ({"email_verified": None}, "has not confirmed that ann@example.com is your address"),
    ],
)
def test_nobody_signs_up_without_a_confirmed_address(
    provider: RunningProvider, claims: dict[str, Any], words: str
) -> None:
    given = {name: value for name, value in {**ANN, **claims}.items() if value is not None}
    provider.person("nameless", **given)
    client = Client()
    answer = come_back(client, provider, "nameless")
    assert answer.status_code == 403
    assert words in text(answer)
    assert not Person.objects.exists()


def test_nobody_who_signs_up_there_chooses_an_address_here(provider: RunningProvider) -> None:
    provider.person("ann", **ANN | {"email": "ann@intranet"})
    client = Client()
    come_back(client, provider, "ann")
    assert client.get("/me/3rdparty/signup/").headers["Location"] == LOGIN
    client.post("/me/3rdparty/signup/", {"email": "boss@example.com"})
    assert not Person.objects.exists()


def test_an_operator_may_trust_all_addresses(provider: RunningProvider, settings: LazySettings) -> None:
    settings.OIDC_TRUST_EMAIL = True
    provider.person("entra", email="ann@example.com")
    client = Client()
    come_back(client, provider, "entra")
    assert signed_in(client) == "ann@example.com"
    provider.person("other", email="other@example.com", email_verified=False)
    client = Client()
    come_back(client, provider, "other")
    assert signed_in(client) == ""


def test_a_changed_address_is_still_the_same_person(provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    come_back(Client(), provider, "ann")
    provider.person("ann", **ANN | {"email": "married@example.com", "email_verified": False})
    client = Client()
    come_back(client, provider, "ann")
    assert signed_in(client) == "ann@example.com"


def test_another_provider_knows_others_by_the_same_subject(
    provider: RunningProvider, settings: LazySettings
) -> None:
    provider.person("ann", **ANN)
    come_back(Client(), provider, "ann")
    row = SocialAccount.objects.get()
    row.uid = identity.uid("https://elsewhere.example.com", "ann")
    row.save()
    client = Client()
    answer = come_back(client, provider, "ann")
    assert signed_in(client) == ""
    assert "Someone already signs in here with this address" in text(answer)


def test_who_only_claims_an_address_does_not_keep_it_from_its_owner(
    cast: Cast, provider: RunningProvider
) -> None:
    EmailAddress.objects.create(user=cast.stranger, email="ann@example.com", verified=False)
    provider.person("ann", **ANN)
    client = Client()
    come_back(client, provider, "ann")
    assert signed_in(client) == "ann@example.com"
    assert EmailAddress.objects.get(email="ann@example.com").user.email == "ann@example.com"


# A person who is here already -----------------------------------------------------------------------------


def test_a_local_person_links_after_signing_in(cast: Cast, provider: RunningProvider) -> None:
    provider.person("viewer", email="viewer@example.com", email_verified=True)
    client = Client()
    answer = come_back(client, provider, "viewer")
    assert "Sign in once as you did before" not in text(answer)
    assert "sign in once as you did before" in text(answer)
    assert not SocialAccount.objects.exists()
    form = {"login": "viewer@example.com", "password": factories.PASSWORD, "next": "/me/sso/link/"}
    question = client.post(LOGIN, form, follow=True)
    assert "Sign in with Example ID from now on?" in text(question)
    assert not SocialAccount.objects.exists()
    client.post("/me/sso/link/")
    assert SocialAccount.objects.get().user == cast.viewer
    assert SecurityEvent.objects.filter(person=cast.viewer, kind="provider_linked").exists()
    again = Client()
    come_back(again, provider, "viewer")
    assert signed_in(again) == "viewer@example.com"
    cast.viewer.refresh_from_db()
    assert cast.viewer.check_password(factories.PASSWORD)


def test_somebody_else_links_nothing(cast: Cast, provider: RunningProvider) -> None:
    provider.person("viewer", email="viewer@example.com", email_verified=True)
    client = Client()
    come_back(client, provider, "viewer")
    client.force_login(cast.stranger)
    answer = client.post("/me/sso/link/", follow=True)
    assert not SocialAccount.objects.exists()
    assert signed_in(client) == "stranger@example.com"
    assert answer.status_code == 200


def test_what_was_linked_by_somebody_else_meanwhile_is_not_linked(
    cast: Cast, provider: RunningProvider
) -> None:
    provider.person("viewer", email="viewer@example.com", email_verified=True)
    client = Client()
    come_back(client, provider, "viewer")
    by_password(client, cast.viewer)
    come_back(just_signed_in(cast.client("owner")), provider, "viewer", process="connect")
    answer = text(client.post("/me/sso/link/", follow=True))
    assert "This sign-in belongs to another person here." in answer
    assert "You can sign in with Example ID now." not in answer
    assert SocialAccount.objects.get().user == cast.owner


def test_without_having_been_there_nothing_is_linked(cast: Cast, provider: RunningProvider) -> None:
    client = cast.client("viewer")
    assert client.post("/me/sso/link/").status_code == 302
    assert not SocialAccount.objects.exists()
    assert Client().get("/me/sso/link/").headers["Location"] == LOGIN


def test_a_disabled_person_stays_out(cast: Cast, provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    come_back(Client(), provider, "ann")
    Person.objects.filter(email="ann@example.com").update(is_active=False)
    client = Client()
    answer = come_back(client, provider, "ann")
    assert signed_in(client) == ""
    assert answer.redirect_chain[-1][0] == "/me/inactive/"
    assert "An operator has disabled your sign-in here" in text(answer)


# Who may sign up ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["invite", "closed"])
@pytest.mark.parametrize("group", [True, False])
def test_sign_up_is_as_open_as_the_settings_say(
    cast: Cast, operator: Person, provider: RunningProvider, settings: LazySettings, mode: str, group: bool
) -> None:
    """By invitation, the operator's table invites its groups."""
    settings.SIGNUP = mode
    if group:
        group_roles.create(by=principal_of(operator), group="team", account="team-red", role="viewer")
    provider.person("ann", **ANN)
    client = Client()
    answer = come_back(client, provider, "ann")
    assert (signed_in(client) == "ann@example.com") is (group and mode == "invite")
    assert ("Sign-up is closed" in text(answer)) is not (group and mode == "invite")


def test_the_operators_link_signs_up_by_the_provider(
    provider: RunningProvider, settings: LazySettings
) -> None:
    settings.SIGNUP, settings.OIDC_ONLY = "closed", True
    provider.person("ann", **ANN)
    client = Client()
    client.get(f"/bootstrap/{people.make_operator_link()}/")
    come_back(client, provider, "ann")
    client.post("/bootstrap/")
    assert Person.objects.get(email="ann@example.com").is_staff


# With OIDC_ONLY -------------------------------------------------------------------------------------------


def by_password(client: Client, person: Person) -> Any:
    return client.post(LOGIN, {"login": person.email, "password": factories.PASSWORD}, follow=True)


def test_with_the_provider_alone_only_operators_use_a_password(
    cast: Cast, operator: Person, provider: RunningProvider, settings: LazySettings
) -> None:
    settings.OIDC_ONLY = True
    client = Client()
    assert "Sign in with Example ID." in text(by_password(client, cast.owner))
    assert signed_in(client) == ""
    by_password(client, operator)
    assert signed_in(client) == operator.email
    assert Client().get("/me/signup/").status_code == 200
    assert "Sign-up is closed" in text(Client().get("/me/signup/"))


def test_with_the_provider_alone_local_persons_can_still_link(
    cast: Cast, provider: RunningProvider, settings: LazySettings
) -> None:
    settings.OIDC_ONLY = True
    provider.person("viewer", email="viewer@example.com", email_verified=True)
    client = Client()
    come_back(client, provider, "viewer")
    by_password(client, cast.owner)
    assert signed_in(client) == ""
    by_password(client, cast.viewer)
    assert signed_in(client) == "viewer@example.com"


# Groups, and a second factor ------------------------------------------------------------------------------


@pytest.fixture
def manager_by_group(cast: Cast, operator: Person, provider: RunningProvider) -> Person:
    """Ann, whom the group `team` made a manager of Team Red."""
    group_roles.create(by=principal_of(operator), group="team", account="team-red", role="manager")
    provider.person("ann", **ANN)
    come_back(Client(), provider, "ann")
    assert Member.objects.get(account=cast.account, person__email="ann@example.com").role == "manager"
    return Person.objects.get(email="ann@example.com")


@pytest.mark.parametrize("claims", [{"groups": []}, {"groups": ["other"]}, {"groups": None}])
def test_whoever_left_the_group_loses_the_role_at_the_next_sign_in(
    manager_by_group: Person, provider: RunningProvider, claims: dict[str, Any]
) -> None:
    given = {name: value for name, value in {**ANN, **claims}.items() if value is not None}
    provider.person("ann", **given)
    come_back(Client(), provider, "ann")
    assert not Member.objects.filter(person=manager_by_group).exists()


def test_groups_that_are_too_many_end_and_that_is_said(
    manager_by_group: Person, provider: RunningProvider
) -> None:
    provider.person("ann", email="ann@example.com", hasgroups=True)
    answer = come_back(Client(), provider, "ann")
    assert "did not send your groups, because there are too many" in text(answer)
    assert not Member.objects.filter(person=manager_by_group).exists()


def test_groups_that_are_left_out_are_told_of(manager_by_group: Person, provider: RunningProvider) -> None:
    provider.person("ann", **ANN | {"groups": [f"g{number:04}" for number in range(2001)]})
    client = Client()
    answer = text(come_back(client, provider, "ann"))
    assert "sent 2,001 groups, and only the first 2,000 by name count here." in answer
    page = text(client.get("/me/sso/"))
    assert "and 1,980 more" in page
    assert "1 more was sent, and does not count here: too many." in page
    provider.person("ann", **ANN)
    client = Client()
    assert "by name count here" not in text(come_back(client, provider, "ann"))
    page = text(client.get("/me/sso/"))
    assert "does not count here" not in page
    assert not re.search(r"and \d+ more", page)


def test_linking_brings_what_the_groups_give(cast: Cast, operator: Person, provider: RunningProvider) -> None:
    group_roles.create(by=principal_of(operator), group="team", account="elsewhere", role="viewer")
    provider.person("viewer", email="viewer@example.com", email_verified=True, groups=["team"])
    client = Client()
    come_back(client, provider, "viewer")
    by_password(client, cast.viewer)
    assert not Member.objects.filter(account=cast.elsewhere, person=cast.viewer).exists()
    client.post("/me/sso/link/")
    assert Member.objects.get(account=cast.elsewhere, person=cast.viewer).role == "viewer"


def test_a_local_second_factor_is_asked_for_before_anything_is_given(
    manager_by_group: Person, operator: Person, provider: RunningProvider, settings: LazySettings
) -> None:
    factors.add_app(manager_by_group)
    group_roles.create(by=principal_of(operator), group="team", account="elsewhere", role="viewer")
    client = Client()
    answer = come_back(client, provider, "ann")
    assert answer.redirect_chain[-1][0].startswith("/me/2fa/authenticate/")
    assert signed_in(client) == ""
    assert Member.objects.filter(person=manager_by_group).count() == 1
    client.post("/me/2fa/authenticate/", {"code": factors.code()})
    assert signed_in(client) == "ann@example.com"
    assert Member.objects.filter(person=manager_by_group).count() == 2
    assert client.session.get_expiry_age() <= settings.OIDC_SESSION_HOURS * 3600


# Sessions, and confirming that it is you ------------------------------------------------------------------


def test_a_session_ends_in_hours_however_much_it_is_used(
    provider: RunningProvider, settings: LazySettings
) -> None:
    settings.OIDC_SESSION_HOURS = 3
    provider.person("ann", **ANN)
    client = Client()
    come_back(client, provider, "ann")
    ends = client.session.get_expiry_date()
    session = client.session
    session["anything"] = 1
    session.save()
    assert abs((client.session.get_expiry_date() - ends).total_seconds()) < 1
    assert 2.9 * 3600 < client.session.get_expiry_age() <= 3 * 3600


def test_to_confirm_is_to_sign_in_again(provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    client, browser = Client(), requests.Session()
    come_back(client, provider, "ann", browser)
    answer = client.get("/me/sso/confirm/?next=/me/email/")
    assert "Sign in again with Example ID" in text(answer)
    url = begin(client, process="reauthenticate", next="/me/email/")
    assert parse_qs(urlsplit(url).query)["prompt"] == ["login"]
    there = provider.sign_in(url, "ann", browser)
    done = client.get(there.removeprefix("http://localhost:8000"), follow=True)
    assert done.redirect_chain[-1][0] == "/me/email/"
    records = client.session["account_authentication_methods"]
    assert [each.get("reauthenticated", False) for each in records] == [False, True]


def test_to_confirm_takes_the_same_person(provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    provider.person("bob", email="bob@example.com", email_verified=True)
    client = Client()
    come_back(client, provider, "ann")
    answer = come_back(client, provider, "bob", process="reauthenticate")
    assert "You signed in there as somebody else" in text(answer)
    assert signed_in(client) == "ann@example.com"


def test_to_confirm_by_an_old_session_of_the_provider_proves_nothing(provider: RunningProvider) -> None:
    """Somebody takes `prompt=login` out of the address, which a provider cannot know."""
    provider.person("ann", **ANN)
    client, browser = Client(), requests.Session()
    come_back(client, provider, "ann", browser)
    url = re.sub(r"&(prompt|max_age)=\w+", "", begin(client, process="reauthenticate"))
    there = provider.sign_in(url, "ann", browser).removeprefix("http://localhost:8000")
    answer = client.get(there)
    assert answer.status_code == 403
    assert "did not ask you to sign in again" in text(answer)


def test_unlinking_needs_another_way_in(cast: Cast, provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    client = Client()
    come_back(client, provider, "ann")
    row = SocialAccount.objects.get()
    assert "Stop signing in with Example ID?" in text(client.get(f"/me/sso/{row.pk}/unlink/"))
    answer = client.post(f"/me/sso/{row.pk}/unlink/", follow=True)
    assert "Set a password first" in text(answer)
    assert SocialAccount.objects.exists()
    assert cast.client("owner").post(f"/me/sso/{row.pk}/unlink/").headers["Location"] == "/me/sso/"
    assert SocialAccount.objects.exists()


def test_who_has_a_password_unlinks_and_loses_what_groups_gave(
    cast: Cast, operator: Person, provider: RunningProvider
) -> None:
    group_roles.create(by=principal_of(operator), group="team", account="elsewhere", role="viewer")
    provider.person("viewer", email="viewer@example.com", email_verified=True, groups=["team"])
    client = just_signed_in(cast.client("viewer"))
    come_back(client, provider, "viewer", process="connect")
    row = SocialAccount.objects.get(user=cast.viewer)
    assert Member.objects.filter(account=cast.elsewhere, person=cast.viewer).exists()
    answer = client.post(f"/me/sso/{row.pk}/unlink/", follow=True)
    assert "no longer signs you in here" in text(answer)
    assert not SocialAccount.objects.exists()
    assert not Member.objects.filter(account=cast.elsewhere, person=cast.viewer).exists()
    kinds = SecurityEvent.objects.filter(person=cast.viewer).order_by("pk").values_list("kind", flat=True)
    assert [each for each in kinds if each.startswith("provider")] == ["provider_linked", "provider_unlinked"]
    recorded = AuditEvent.objects.filter(actor_id=cast.viewer.pk, object="Example ID").order_by("pk")
    assert [each.action for each in recorded] == ["person.provider_linked", "person.provider_unlinked"]


def test_a_session_left_open_links_nothing(cast: Cast, provider: RunningProvider) -> None:
    answer = cast.client("viewer").post(START, {"process": "connect"})
    assert answer.headers["Location"].startswith("/me/reauthenticate/")


def test_nobody_links_what_is_somebody_elses(cast: Cast, provider: RunningProvider) -> None:
    provider.person("ann", **ANN)
    come_back(Client(), provider, "ann")
    answer = come_back(just_signed_in(cast.client("viewer")), provider, "ann", process="connect")
    assert answer.status_code == 409
    assert "belongs to another person here" in text(answer)
    assert SocialAccount.objects.get().user.email == "ann@example.com"


def test_who_changed_meanwhile_begins_again(cast: Cast, provider: RunningProvider) -> None:
    """Two tabs of one browser: a sign-in that was begun by nobody does not end as somebody's link."""
    provider.person("ann", **ANN)
    client = Client()
    there = provider.sign_in(begin(client), "ann").removeprefix("http://localhost:8000")
    states = client.session["socialaccount_states"]
    client.force_login(cast.viewer)
    session = client.session
    session["socialaccount_states"] = states
    session.save()
    answer = client.get(there)
    assert "signed in or out here in the meantime" in text(answer)
    assert not SocialAccount.objects.exists()
