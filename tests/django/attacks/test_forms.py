"""A form says what it asks for and no more: what else is sent along sets nothing, and leads nowhere else."""

import re
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.test import Client

from accounts.models import ApiToken, Invitation, Member, Person, RegistryUser, Secret
from accounts.names import USERNAME
from namespaces.models import Grant, Namespace
from tests import factories
from tests.cast import Cast

# Columns of our tables, and what somebody would like them to hold.
WISHES = {
    "id": "1", "pk": "1", "is_staff": "on", "is_superuser": "on", "is_active": "", "operator": "on", "role": "owner",
    "owner": "1", "person": "1", "person_id": "1", "account": "1", "account_id": "1", "handle": "stolen",
    "username": "chosen000000", "password": "chosen", "digest": "0" * 64, "hint": "abcd", "pepper_version": "9",
    "created_at": "2000-01-01", "expires_at": "2999-01-01", "disabled_at": "2000-01-01", "closed_at": "2000-01-01",
    "last_used_at": "2000-01-01", "namespace_id": "1", "user_id": "1", "created_by": "somebody@example.com",
}  # fmt: skip
NEW = "tall green ladder"


def test_signing_up_makes_an_ordinary_person(cast: Cast) -> None:
    form = {"email": "new@example.com", "password1": NEW, "password2": NEW}
    assert Client().post("/me/signup/", WISHES | form).status_code == 302
    person = Person.objects.get(email="new@example.com")
    assert (person.is_staff, person.is_active) == (False, True)
    assert not person.memberships.exists()
    assert person.check_password(NEW)


def test_a_user_is_made_in_the_account_of_the_page_with_a_name_that_was_drawn(cast: Cast) -> None:
    form = {"description": "CI", "expiry": "never", "expires_on": "", "once": "a mark"}
    wishes = WISHES | {"account": str(cast.elsewhere.pk), "account_id": str(cast.elsewhere.pk)}
    answer = cast.client("owner").post("/a/team-red/users/new/", wishes | form)
    assert answer.status_code == 200
    user = RegistryUser.objects.get()
    assert (user.account, user.expires_at, user.disabled_at) == (cast.account, None, None)
    assert USERNAME.fullmatch(user.username)
    assert user.username != WISHES["username"]
    assert user.secrets.get().digest != WISHES["digest"]
    assert user.created_at.year > 2000


def test_editing_a_user_moves_and_renames_nothing(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    form = {"description": "Changed", "expiry": "never", "expires_on": ""}
    wishes = WISHES | {"account": str(cast.elsewhere.pk)}
    assert cast.client("owner").post(f"{user.get_absolute_url()}edit/", wishes | form).status_code == 302
    after = RegistryUser.objects.get()
    assert (after.pk, after.account, after.username) == (user.pk, cast.account, user.username)
    assert (after.description, after.disabled_at) == ("Changed", None)


def test_an_account_gets_its_address_from_its_name(cast: Cast) -> None:
    cast.client("stranger").post("/accounts/new/", WISHES | {"name": "Team Blue"})
    member = Member.objects.get(account__name="Team Blue")
    assert (member.account.handle, member.account.closed_at) == ("team-blue", None)
    assert (member.person, member.role) == (cast.stranger, "owner")


def test_a_namespace_is_made_private_and_in_the_account_of_the_page(cast: Cast) -> None:
    wishes = WISHES | {"public": "yes", "account": str(cast.elsewhere.pk)}
    assert (
        cast.client("owner").post("/a/team-red/namespaces/new/", wishes | {"name": "red"}).status_code == 302
    )
    namespace = Namespace.objects.get()
    assert (namespace.account, namespace.public) == (cast.account, False)


def test_an_api_token_is_made_for_the_one_who_asks(cast: Cast) -> None:
    form = {"name": "CI", "scope": "read", "account": "*", "expiry": "90", "expires_on": "", "once": "a mark"}
    wishes = WISHES | {"person": str(cast.owner.pk), "person_id": str(cast.owner.pk)}
    assert cast.client("stranger").post("/me/tokens/", wishes | form).status_code == 200
    token = ApiToken.objects.get()
    assert token.person == cast.stranger
    assert token.expires_at
    assert (token.expires_at - token.created_at).days <= 90
    assert token.digest != WISHES["digest"]


def test_an_invitation_is_to_the_account_of_the_page_and_lasts_a_week(cast: Cast) -> None:
    wishes = WISHES | {"account": str(cast.elsewhere.pk), "expires_at": "2999-01-01"}
    cast.client("owner").post(
        "/a/team-red/settings/invitations/", wishes | {"role": "viewer", "once": "a mark"}
    )
    invitation = Invitation.objects.get()
    assert (invitation.account, invitation.role) == (cast.account, "viewer")
    assert invitation.created_by == "owner@example.com"
    assert (invitation.expires_at - invitation.created_at).days <= 7


@pytest.mark.parametrize("role", ["admin", "superuser", "OWNER", "", "owner "])
def test_there_are_no_other_roles(cast: Cast, role: str) -> None:
    client, path = cast.client("owner"), f"/a/team-red/settings/members/{cast.viewer.pk}/role/"
    client.post(path, {"role": role})
    assert cast.viewer.memberships.get().role == "viewer"
    client.post(path, {"role": "manager"})
    assert cast.viewer.memberships.get().role == "manager"


@pytest.mark.parametrize("who", ["manager", "viewer"])
def test_nobody_raises_themselves_or_others_above_what_they_are(cast: Cast, who: str) -> None:
    client = cast.client(who)
    for person in (cast.manager, cast.viewer):
        before = person.memberships.get().role
        path = f"/a/team-red/settings/members/{person.pk}/role/"
        assert client.post(path, {"role": "owner"}).status_code == 403
        assert person.memberships.get().role == before
    assert (
        client.post("/a/team-red/settings/invitations/", {"role": "owner", "once": "a mark"}).status_code
        == 403
    )
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("where", ["namespace", "user"])
def test_a_permission_joins_a_user_and_a_namespace_of_one_account(cast: Cast, where: str) -> None:
    """Each page takes the other half by name: a name of another account is no choice."""
    ours, theirs = (
        {
            "user": factories.RegistryUserFactory(account=account),
            "namespace": factories.NamespaceFactory(account=account),
        }
        for account in (cast.account, cast.elsewhere)
    )
    client = cast.client("owner")
    paths = {
        "namespace": f"/a/team-red/n/{ours['namespace'].name}/permissions/",
        "user": f"/a/team-red/users/{ours['user'].username}/grants/",
    }

    def form(half: dict[str, Any]) -> dict[str, str]:
        wishes = WISHES | {"namespace_id": str(theirs["namespace"].pk), "user_id": str(theirs["user"].pk)}
        return wishes | {"user": half["user"].username, "namespace": half["namespace"].name, "level": "read"}

    assert client.post(paths[where], form(theirs)).status_code == 400
    assert not Grant.objects.exists()
    assert client.post(paths[where], form(ours)).status_code == 302
    grant = Grant.objects.get()
    assert (grant.user, grant.namespace, grant.level) == (ours["user"], ours["namespace"], 1)


LEVELS = "/a/team-red/grants/levels/"


@pytest.mark.parametrize("level", ["none", "0", "4", "root", "", "3"])
def test_there_are_no_other_levels(cast: Cast, level: str) -> None:
    namespace = factories.NamespaceFactory(account=cast.account)
    grant = factories.GrantFactory(user__account=cast.account, namespace=namespace)
    client, field = cast.client("owner"), f"level-{grant.pk}-read"
    assert client.post(LEVELS, {field: level}).status_code == 400
    assert Grant.objects.get().level == 1
    client.post(LEVELS, {field: "admin"})
    assert Grant.objects.get().level == 3


ELSEWHERE = [
    "//evil.example", "///evil.example", "https://evil.example", "https:evil.example", "http:///evil.example",
    "/\\evil.example", "\\\\evil.example", "\\/evil.example", "javascript:alert(1)", "data:text/html,x",
    "https://testserver@evil.example", "https://testserver.evil.example", " //evil.example", "\t//evil.example",
    "/%09/evil.example\r\nSet-Cookie: a=b", "%0d%0aLocation: //evil.example", "\x00//evil.example", "ftp://testserver/",
    "//testserver:6666@evil.example/", "////evil.example/%2e%2e",
]  # fmt: skip


def leads_here(location: str) -> bool:
    """As a browser reads it: control characters fall out, and a backslash is a slash."""
    read = re.sub(r"[\t\r\n]", "", location).lstrip("\x00 ").replace("\\", "/")
    return urlsplit(urljoin("http://testserver/me/login/", read))[:2] == ("http", "testserver")


@pytest.mark.parametrize(
    "location", ["//evil.example", "/\\evil.example", "\t//evil.example", "https://evil.example"]
)
def test_the_judge_of_these_tests_knows_what_leads_away(location: str) -> None:
    assert not leads_here(location)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_after_log_in_one_is_here(cast: Cast, target: str) -> None:
    form = {"login": cast.owner.email, "password": factories.PASSWORD, "next": target}
    for path in ("/me/login/", "/me/login/?" + urlencode({"next": target})):
        answer = Client().post(path, form)
        assert answer.status_code == 302
        assert leads_here(answer.headers["Location"]), answer.headers["Location"]
        assert "\n" not in answer.headers["Location"]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_after_log_out_one_is_here(cast: Cast, target: str) -> None:
    assert leads_here(cast.client("owner").post("/me/logout/", {"next": target}).headers["Location"])


@pytest.mark.parametrize("target", ELSEWHERE)
def test_after_a_change_of_a_permission_one_is_here(cast: Cast, target: str) -> None:
    namespace = factories.NamespaceFactory(account=cast.account)
    grant = factories.GrantFactory(user__account=cast.account, namespace=namespace)
    answer = cast.client("owner").post(LEVELS, {f"level-{grant.pk}-read": "write", "next": target})
    assert leads_here(answer.headers["Location"])


def test_a_way_back_that_is_here_is_taken(cast: Cast) -> None:
    form = {"login": cast.owner.email, "password": factories.PASSWORD, "next": "/a/team-red/users/?page=2"}
    assert Client().post("/me/login/", form).headers["Location"] == "/a/team-red/users/?page=2"
    namespace = factories.NamespaceFactory(account=cast.account)
    grant = factories.GrantFactory(user__account=cast.account, namespace=namespace)
    form = {f"level-{grant.pk}-read": "write", "next": "/a/team-red/users/"}
    answer = cast.client("owner").post(LEVELS, form)
    assert answer.headers["Location"] == "/a/team-red/users/"


ONCE = {
    "users/new/": {"description": "Nightly build", "expiry": "never", "expires_on": ""},
    "users/{user}/password/": {},
    "settings/invitations/": {"role": "viewer"},
    "tokens": {"name": "Nightly build", "scope": "read", "account": "*", "expiry": "30", "expires_on": ""},
}


@pytest.mark.parametrize("mark", [{}, {"once": ""}], ids=["none", "empty"])
@pytest.mark.parametrize("where", ONCE)
def test_without_its_mark_a_form_does_nothing_says_so_and_loses_nothing(
    cast: Cast, where: str, mark: dict[str, str]
) -> None:
    user, client = factories.RegistryUserFactory(account=cast.account), cast.client("owner")
    made = (RegistryUser, Invitation, ApiToken, Secret)
    before = [list(model.objects.values().order_by("pk")) for model in made]
    url = "/me/tokens/" if where == "tokens" else f"/a/team-red/{where.format(user=user.username)}"
    page = client.post(url, ONCE[where] | mark, follow=True).content.decode()
    assert "Press the button again" in page
    assert [list(model.objects.values().order_by("pk")) for model in made] == before
    for typed in {"Nightly build"} & set(ONCE[where].values()):
        assert f'value="{typed}"' in page
    (once,) = set(re.findall(r'name="once" value="([^"]+)"', page))
    client.post(url, ONCE[where] | {"once": once})
    assert [list(model.objects.values().order_by("pk")) for model in made] != before
