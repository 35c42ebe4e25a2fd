"""How much an account and a person may hold: each way of creating, at its limit and below, on pages and in the API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.common.errors import Conflict, Invalid
from accounts.models import Account, ApiToken, AuditEvent, Invitation, Member, Person, RegistryUser
from accounts.services import account_limits, invitations, users
from namespaces.models import Grant, Namespace, ReservedName
from namespaces.services import namespaces
from registry_sync.limits import OF_ACCOUNT
from registry_sync.models import Repository, RetentionRule
from registry_sync.operations import service
from tests import factories
from tests.cast import MEMBERS, Cast, principal_of
from tests.django.api.caller import error_of
from tests.django.api.world import caller_of


@dataclass(frozen=True)
class Way:
    """One thing that people create. `field`: beside which the API says no; `page_field`: beside which the page does."""

    key: str
    model: type[Any]
    first: Callable[[Cast], object]  # there before, so that the limit is met
    api: str
    body: dict[str, Any]
    page: str
    form: dict[str, str]
    field: str

    @property
    def setting(self) -> str:
        return next(each.setting for each in (*OF_ACCOUNT, *limits.OF_PERSON) if each.key == self.key)


def a_namespace(cast: Cast) -> Namespace:
    return factories.NamespaceFactory(account=cast.account, name="red")


def a_user(cast: Cast) -> RegistryUser:
    return factories.RegistryUserFactory(account=cast.account, username="wsbq5k5ysqyt")


def a_grant(cast: Cast) -> Grant:
    namespace, user = a_namespace(cast), a_user(cast)
    return factories.GrantFactory(namespace=namespace, user=user, image_name="other")


def a_rule(cast: Cast) -> RetentionRule:
    return RetentionRule.objects.create(namespace=a_namespace(cast), keep_last=2, image_name="other")


def an_invitation(cast: Cast) -> Invitation:
    return invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")[0]


def an_account(cast: Cast) -> Account:
    return factories.AccountFactory(opened_by=cast.owner)


def an_api_token(cast: Cast) -> ApiToken:
    return ApiToken.objects.create(person=cast.owner, name="CI", digest="1", hint="abcd")


RED, USER = "accounts/team-red/", "wsbq5k5ysqyt"
WAYS = [
    Way("namespaces", Namespace, a_namespace, RED + "namespaces/", {"name": "blue"}, "/a/team-red/namespaces/new/",
        {"name": "blue"}, "name"),
    Way("users", RegistryUser, a_user, RED + "users/", {"description": "CI"}, "/a/team-red/users/new/",
        {"description": "CI", "expiry": "never", "purpose": "read", "once": "a mark"}, "description"),
    Way("grants", Grant, a_grant, RED + "grants/", {"user": USER, "namespace": "red", "level": "read"},
        "/a/team-red/n/red/permissions/", {"user": USER, "level": "read"}, "user"),
    Way("retention_rules", RetentionRule, a_rule, RED + "namespaces/red/retention/", {"keep_last": 3},
        "/a/team-red/n/red/rules/", {"keep_last": "3"}, "image"),
    Way("invitations", Invitation, an_invitation, RED + "invitations/", {"role": "viewer"},
        "/a/team-red/settings/invitations/", {"role": "viewer", "once": "a mark"}, "role"),
    Way("accounts", Account, an_account, "accounts/", {"name": "Blue"}, "/accounts/new/", {"name": "Blue"}, "name"),
    Way("api_tokens", ApiToken, an_api_token, "me/tokens/", {"name": "CD"}, "/me/tokens/",
        {"name": "CD", "scope": "read", "account": "*", "expiry": "90", "once": "a mark"}, "name"),
]  # fmt: skip
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.key)


def ask_api(cast: Cast, way: Way) -> Any:
    """By the panel's session: an API token makes no other."""
    return cast.client("owner").post(f"/api/v1/{way.api}", way.body, content_type="application/json")


@every_way
@pytest.mark.parametrize(("most", "made"), [(1, False), (2, True), (0, True)])
def test_the_api_creates_up_to_the_limit(cast: Cast, settings: Any, way: Way, most: int, made: bool) -> None:
    way.first(cast)
    before = way.model.objects.count()
    setattr(settings, way.setting, most)
    answer = ask_api(cast, way)
    assert way.model.objects.count() == before + made
    assert answer.status_code == (201 if made else 409), answer.content
    if not made:
        sentences = error_of(answer)["fields"][way.field]
        assert "(1)" in sentences[0]
        assert f"raise {way.setting}." in sentences[0]


@every_way
@pytest.mark.parametrize(("most", "made"), [(1, False), (2, True), (0, True)])
def test_the_page_creates_up_to_the_limit(cast: Cast, settings: Any, way: Way, most: int, made: bool) -> None:
    way.first(cast)
    before = way.model.objects.count()
    setattr(settings, way.setting, most)
    answer = cast.client("owner").post(way.page, way.form)
    assert way.model.objects.count() == before + made
    assert answer.status_code in ((200, 302) if made else (400, 422)), answer.content.decode()[-2000:]
    assert (f"raise {way.setting}." in answer.content.decode()) is not made


@pytest.mark.parametrize(("most", "made"), [(3, False), (4, True), (0, True)])
def test_an_invitation_is_accepted_up_to_the_limit_and_else_stays_open(
    cast: Cast, settings: Any, most: int, made: bool
) -> None:
    _invitation, text = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    settings.MAX_MEMBERS_PER_ACCOUNT = most
    client = cast.client("stranger")
    client.get(f"/invite/{text}/")
    answer = client.post("/invite/")
    assert Member.objects.filter(account=cast.account).count() == 3 + made
    assert answer.status_code == (302 if made else 400)
    assert ("raise MAX_MEMBERS_PER_ACCOUNT." in answer.content.decode()) is not made
    assert Invitation.objects.live(timezone.now()).exists() is not made


def test_who_is_a_member_already_needs_no_room(cast: Cast, settings: Any) -> None:
    invitation, _text = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    settings.MAX_MEMBERS_PER_ACCOUNT = 1
    assert invitations.accept(by=cast.by("manager"), invitation=invitation) == cast.account


def test_what_is_over_does_not_count_as_an_open_invitation(cast: Cast, settings: Any) -> None:
    settings.MAX_INVITATIONS_PER_ACCOUNT = 1
    by = cast.by("owner")
    first, _text = invitations.invite(by=by, account=cast.account, role="viewer")
    with pytest.raises(Conflict):
        invitations.invite(by=by, account=cast.account, role="viewer")
    invitations.withdraw(by=by, invitation=first)
    assert invitations.invite(by=by, account=cast.account, role="viewer")


def test_a_name_that_a_deleted_namespace_left_counts_and_comes_back_without_room(
    cast: Cast, settings: Any
) -> None:
    settings.MAX_NAMESPACES_PER_ACCOUNT = 1
    ReservedName.objects.create(name="old", account=cast.account, until=timezone.now())
    with pytest.raises(Conflict, match="MAX_NAMESPACES_PER_ACCOUNT"):
        namespaces.create(by=cast.by("owner"), account=cast.account, name="fresh")
    assert namespaces.create(by=cast.by("owner"), account=cast.account, name="old")


def test_a_name_that_is_nobodys_does_not_count(cast: Cast, settings: Any) -> None:
    settings.MAX_NAMESPACES_PER_ACCOUNT = 1
    for name, theirs in (("kept", None), ("hers", cast.elsewhere.pk)):
        ReservedName.objects.create(name=name, account_id=theirs, until=None)
    assert namespaces.create(by=cast.by("owner"), account=cast.account, name="fresh")


@pytest.mark.parametrize("act", ["close", "leave"])
def test_an_account_counts_for_who_opened_it_whatever_becomes_of_it(
    cast: Cast, settings: Any, act: str
) -> None:
    settings.MAX_ACCOUNTS_PER_PERSON = 1
    caller = caller_of(cast, "stranger")
    assert caller.post("accounts/", {"name": "Blue"}).status_code == 201
    opened = Account.objects.get(handle="blue")
    if act == "close":
        assert caller.delete("accounts/blue/", {"confirmation": "blue"}).status_code == 204
    else:
        factories.MemberFactory(account=opened, person=cast.owner, role="owner")
        assert caller.delete("accounts/blue/members/me/").status_code == 204
    assert caller.post("accounts/", {"name": "Green"}).status_code == 409
    assert caller_of(cast, "owner").post("accounts/", {"name": "Green"}).status_code == 201


def test_the_limits_are_the_same_for_operators(operator: Person, cast: Cast, settings: Any) -> None:
    settings.MAX_ACCOUNTS_PER_PERSON = 1
    client = Client()
    client.force_login(operator)
    assert client.post("/accounts/new/", {"name": "Ours"}).status_code == 302
    assert client.post("/accounts/new/", {"name": "Ours too"}).status_code == 400


def test_an_operator_gives_no_account_more_than_it_may_hold(
    operator: Person, cast: Cast, settings: Any
) -> None:
    settings.MAX_NAMESPACES_PER_ACCOUNT = 1
    a_namespace(cast)
    Repository.objects.create(name="adopted/app")
    with pytest.raises(Conflict, match="MAX_NAMESPACES_PER_ACCOUNT"):
        service.assign(by=principal_of(operator), first="adopted", handle="team-red")
    assert service.assign(by=principal_of(operator), first="adopted", handle="elsewhere")


@pytest.mark.parametrize("kept_for", ["nobody", "elsewhere", "the account itself"])
def test_nor_with_a_name_that_is_kept(operator: Person, cast: Cast, settings: Any, kept_for: str) -> None:
    """As each name is that the registry was found to hold; the account's own counts already."""
    settings.MAX_NAMESPACES_PER_ACCOUNT = 1
    whose = {"elsewhere": cast.elsewhere, "the account itself": cast.account}.get(kept_for)
    ReservedName.objects.create(name="adopted", account=whose)
    if kept_for != "the account itself":
        a_namespace(cast)
        with pytest.raises(Conflict, match="MAX_NAMESPACES_PER_ACCOUNT"):
            service.assign(by=principal_of(operator), first="adopted", handle="team-red")
        assert ReservedName.objects.get(name="adopted").account == whose
        settings.MAX_NAMESPACES_PER_ACCOUNT = 2
    assert service.assign(by=principal_of(operator), first="adopted", handle="team-red")


def test_another_accounts_rows_take_no_room(cast: Cast, settings: Any) -> None:
    settings.MAX_USERS_PER_ACCOUNT = 1
    factories.RegistryUserFactory.create_batch(3, account=cast.elsewhere)
    assert users.create(by=cast.by("owner"), account=cast.account, description="CI", expires_at=None)


def test_a_user_and_what_it_may_do_come_together_or_not_at_all(cast: Cast, settings: Any) -> None:
    settings.MAX_GRANTS_PER_ACCOUNT = 1
    a_grant(cast)
    form = {"description": "CI", "expiry": "never", "purpose": "read", "where": "red", "once": "a mark"}
    answer = cast.client("owner").post("/a/team-red/users/new/", form)
    assert answer.status_code == 400
    assert "raise MAX_GRANTS_PER_ACCOUNT." in answer.context["form"].errors["where"][0]
    assert RegistryUser.objects.count() == 1


@pytest.mark.parametrize("way", WAYS[:5], ids=lambda way: way.key)
@pytest.mark.parametrize(("own", "made"), [(1, False), (2, True), (0, True)])
def test_a_limit_of_the_account_comes_before_the_installations(
    cast: Cast, settings: Any, way: Way, own: int, made: bool
) -> None:
    way.first(cast)
    before = way.model.objects.count()
    setattr(settings, way.setting, 1 if made else 0)
    account_limits.change(by=cast.by("owner"), account=cast.account, limits=OF_ACCOUNT, values={way.key: own})
    answer = ask_api(cast, way)
    assert way.model.objects.count() == before + made
    assert answer.status_code == (201 if made else 409), answer.content
    if not made:
        assert "raise the limit of this account." in error_of(answer)["fields"][way.field][0]


def test_every_limit_of_an_account_has_a_column_of_its_own() -> None:
    assert {each.column for each in OF_ACCOUNT} == {
        field.name for field in Account._meta.fields if field.name.startswith("max_")
    }


def test_limits_of_an_account_are_checked_and_audited_where_they_change(cast: Cast) -> None:
    by = cast.by("owner")
    with pytest.raises(Invalid) as refused:
        account_limits.change(
            by=by,
            account=cast.account,
            limits=OF_ACCOUNT,
            values={"users": -1, "members": 10**9, "grants": 3},
        )
    assert set(refused.value.errors) == {"users", "members"}
    assert not AuditEvent.objects.exists()
    for _twice in range(2):
        account_limits.change(
            by=by, account=cast.account, limits=OF_ACCOUNT, values={"users": 7, "members": None}
        )
    event = AuditEvent.objects.get()
    assert (event.action, event.before, event.after) == ("account.limits", {"users": None}, {"users": 7})


@pytest.mark.django_db(transaction=True)
def test_counting_outside_of_the_transaction_that_creates_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        limits.make_room(limits.USERS, factories.AccountFactory(), field="")


# What is shown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_what_the_account_holds(cast: Cast, settings: Any, who: str) -> None:
    settings.MAX_USERS_PER_ACCOUNT, settings.MAX_GRANTS_PER_ACCOUNT = 2000, 0
    a_grant(cast)
    an_invitation(cast)
    page = cast.client(who).get("/a/team-red/settings/").content.decode()
    for words in ("1 of 100 namespaces", "1 of 2,000 users", "permissions: 1, no limit", "3 of 200 members"):
        assert words in page


def test_persons_see_what_they_hold(cast: Cast) -> None:
    an_account(cast)
    an_api_token(cast)
    client = cast.client("owner")
    assert "1 of 20 accounts opened" in client.get("/accounts/new/").content.decode()
    assert "1 of 100 API tokens" in client.get("/me/tokens/").content.decode()
    shown = client.get("/api/v1/me/").json()["limits"]
    assert shown == {"accounts": {"used": 1, "limit": 20}, "api_tokens": {"used": 1, "limit": 100}}


def test_operators_see_the_settings(operator: Person) -> None:
    client = Client()
    client.force_login(operator)
    page = client.get("/system/settings/").content.decode()
    for limit in (*OF_ACCOUNT, *limits.OF_PERSON):
        assert limit.setting in page
    assert "OIDC_ISSUER" in page
    assert "openid, profile, email" in page
    assert "SECRET" not in page
