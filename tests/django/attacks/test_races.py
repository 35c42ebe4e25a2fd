"""Two who want the same thing at the same moment: one gets it, the other hears so, and nothing is left half."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from accounts import credentials
from accounts.common.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.limits import OF_PERSON, Limit
from accounts.models import (
    Account,
    ApiToken,
    AuditEvent,
    IdTokenIssuer,
    Invitation,
    Member,
    Person,
    RegistryUser,
    Secret,
    TrustPolicy,
)
from accounts.peppers import peppers
from accounts.services import (
    accounts,
    api_tokens,
    invitations,
    issuers,
    members,
    passwords,
    people,
    person_access,
    trust_policies,
    users,
)
from namespaces.access import Level
from namespaces.grant_text import GrantTarget
from namespaces.models import CatalogRead, Grant, Namespace, ReservedName
from namespaces.services import grants, namespaces
from registry_sync.limits import OF_ACCOUNT
from registry_sync.models import Repository, RetentionRule
from registry_sync.operations import service as operations_service
from registry_sync.reconcile import writer
from registry_sync.reconcile.planner import Plan
from registry_sync.retention import service as retention_service
from tests import factories
from tests.cast import Cast, client_for, principal_of
from tests.django.api.caller import Caller, token_of
from tests.django.attacks.together import PATIENCE, raised, together

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 6
only_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite lets one writer in at a time."
)


def trail(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def members_of(account: Account, role: str = "owner") -> list[Person]:
    return [factories.MemberFactory(account=account, role=role).person for _ in range(MANY)]


@pytest.mark.parametrize("act", [person_access.disable, person_access.unmake_operator])
def test_of_operators_who_end_each_other_at_once_one_stays(db: None, act: Callable[..., None]) -> None:
    operators = [factories.PersonFactory(is_staff=True) for _ in range(MANY)]
    pairs = zip(operators, [*operators[1:], operators[0]], strict=True)
    results = together([partial(act, by=principal_of(by), person=other) for by, other in pairs])
    assert raised(results) == [Conflict]
    assert Person.objects.filter(is_staff=True, is_active=True).count() == 1


def test_one_namespace_however_many_accounts_ask_for_its_name(cast: Cast) -> None:
    tenants = [cast.account, cast.elsewhere] * (MANY // 2)
    results = together(
        [partial(namespaces.create, by=cast.by("owner"), account=each, name="team") for each in tenants]
    )
    assert raised(results) == [Conflict] * (MANY - 1)
    assert Namespace.objects.filter(name="team").count() == 1
    assert trail("namespace.created") == 1


def test_the_api_answers_one_with_created_and_the_others_with_conflict(cast: Cast) -> None:
    callers = [(Caller(token_of(cast.owner)), "team-red"), (Caller(token_of(cast.stranger)), "elsewhere")]
    acts = [
        partial(caller.post, f"accounts/{handle}/namespaces/", {"name": "team"}) for caller, handle in callers
    ]
    results = together(acts * (MANY // 2))
    assert raised(results) == []
    statuses = sorted(each.status_code for each in results if not isinstance(each, Exception))
    assert statuses == [201] + [409] * (MANY - 1)


def test_a_form_that_is_sent_twice_at_once_works_once(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    first, address = cast.client("owner"), f"/a/team-red/users/{user.username}/password/"
    once = first.get(address).context["question"].fields["once"]
    browsers = [Client() for _ in range(MANY)]
    for each in browsers:
        each.cookies = first.cookies
    results = together([partial(each.post, address, {"once": once}) for each in browsers])
    assert raised(results) == []
    statuses = sorted(each.status_code for each in results if not isinstance(each, Exception))
    assert statuses == [200] + [302] * (MANY - 1)
    assert trail("user.password_replaced") == 1
    assert first.post(address, {"once": once}).status_code == 302


def test_another_spelling_of_a_name_is_no_second_one(cast: Cast) -> None:
    spellings = ["team", "Team", "TEAM", "team ", "tеam", "team\u200b"]
    acts = [
        partial(namespaces.create, by=cast.by("owner"), account=cast.account, name=each) for each in spellings
    ]
    together(acts)
    assert list(Namespace.objects.values_list("name", flat=True)) == ["team"]


def test_accounts_of_one_name_get_addresses_of_their_own(cast: Cast) -> None:
    results = together([partial(accounts.open_account, by=cast.by("owner"), name="Blue Team")] * MANY)
    assert raised(results) == []
    handles = set(Account.objects.filter(name="Blue Team").values_list("handle", flat=True))
    assert len(handles) == MANY
    assert "blue-team" in handles


def test_users_made_at_once_share_neither_name_nor_password(cast: Cast) -> None:
    create = partial(
        users.create, by=cast.by("owner"), account=cast.account, description="CI", expires_at=None
    )
    results = together([create] * MANY)
    assert raised(results) == []
    assert RegistryUser.objects.count() == Secret.objects.count() == trail("user.created") == MANY
    passwords = {each[1] for each in results if isinstance(each, tuple)}
    assert len(passwords) == MANY


def test_a_name_drawn_twice_is_one_users_alone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.names.make_username", lambda: "wsbq5k5ysqyt")
    create = partial(
        users.create, by=cast.by("owner"), account=cast.account, description="CI", expires_at=None
    )
    results = together([create] * 2)
    assert len(raised(results)) == 1
    assert RegistryUser.objects.count() == Secret.objects.count() == trail("user.created") == 1


def test_one_person_however_often_an_address_signs_up(db: None, mailoutbox: list[object]) -> None:
    def sign_up(email: str) -> int:
        form = {"email": email, "password1": "tall green ladder", "password2": "tall green ladder"}
        return Client(raise_request_exception=False).post("/me/signup/", form).status_code

    spellings = ["new@example.com", "New@example.com", "new@EXAMPLE.com"] * (MANY // 3)
    results = together([partial(sign_up, each) for each in spellings])
    assert Person.objects.count() == 1
    assert results.count(302) == 1
    assert set(results) <= {200, 302, 400}  # the form finds the address taken, or only the database does


def test_one_grant_for_one_target(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account)
    user = factories.RegistryUserFactory(account=cast.account)
    levels = ["read", "write", "admin"] * (MANY // 3)
    give = partial(grants.give, by=cast.by("owner"), namespace=namespace, user=user)
    results = together([partial(give, level=each) for each in levels])
    assert raised(results) == [Conflict] * (MANY - 1)
    assert Grant.objects.count() == trail("grant.given") == 1


def test_a_grant_that_has_ended_is_renewed_once(cast: Cast) -> None:
    ended = factories.GrantFactory(user__account=cast.account, expires_at=timezone.now())
    levels = ["read", "write", "admin"] * (MANY // 3)
    give = partial(grants.give, by=cast.by("owner"), namespace=ended.namespace, user=ended.user)
    end = timezone.now() + timedelta(days=7)
    results = together([partial(give, level=each, expires_at=end) for each in levels])
    assert raised(results) == [Conflict] * (MANY - 1)
    assert Grant.objects.get().pk == ended.pk
    assert trail("grant.changed") == 1


def test_a_denied_request_that_two_allow_at_once_is_allowed_by_one_grant(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account)
    user = factories.RegistryUserFactory(account=cast.account)
    target = GrantTarget(namespace, "api")
    allow = partial(grants.allow, by=cast.by("owner"), user=user, targets=[target], level="write")
    results = together([allow] * MANY)
    assert set(raised(results)) <= {Conflict}
    assert Grant.objects.get().level == Level.WRITE
    assert trail("grant.given") == 1


def test_an_invitation_lets_one_person_in(cast: Cast) -> None:
    invitation, _text = invitations.invite(by=cast.by("owner"), account=cast.account, role="manager")
    guests = [factories.PersonFactory() for _ in range(MANY)]
    results = together(
        [partial(invitations.accept, by=principal_of(each), invitation=invitation) for each in guests]
    )
    assert raised(results) == [NotFound] * (MANY - 1)
    assert Member.objects.filter(person__in=guests).count() == trail("member.joined") == 1
    assert Invitation.objects.get().used_by in [each.email for each in guests]


def test_an_invitation_signs_one_person_up(cast: Cast, settings: Any) -> None:
    settings.SIGNUP = "invite"
    _invitation, text = invitations.invite(by=cast.by("owner"), account=cast.account, role="manager")
    before = Person.objects.count()
    results = together([partial(sign_up_by, f"/invite/{text}/", number) for number in range(MANY)])
    assert_one_signed_up(results)
    assert Person.objects.count() == before + 1
    assert Person.objects.latest("pk").email == str(Invitation.objects.get().reserved_for)
    assert trail("member.signed_up") == 1


def test_the_first_operators_link_signs_one_person_up(db: None, settings: Any) -> None:
    settings.SIGNUP = "invite"
    link = f"/bootstrap/{people.make_operator_link()}/"
    results = together([partial(sign_up_by, link, number) for number in range(MANY)])
    assert_one_signed_up(results)
    assert Person.objects.count() == 1


def assert_one_signed_up(statuses: Sequence[object]) -> None:
    """The others were too late at the form, or at the page that would have shown it."""
    assert sum(each == 302 for each in statuses) == 1
    assert set(statuses) <= {200, 302, 400}


def sign_up_by(link: str, number: int) -> int:
    client = Client(raise_request_exception=False)
    client.get(link)
    form = {
        "email": f"new{number}@example.com",
        "password1": "tall green ladder",
        "password2": "tall green ladder",
    }
    return client.post("/me/signup/", form).status_code


def test_the_first_operators_link_makes_one_operator(db: None) -> None:
    link = f"/bootstrap/{people.make_operator_link()}/"
    guests = [client_for(factories.PersonFactory()) for _ in range(MANY)]
    for each in guests:
        each.get(link)
    results = together([partial(each.post, "/bootstrap/") for each in guests])
    statuses = sorted(each.status_code for each in results if not isinstance(each, Exception))
    assert statuses == [302] + [404] * (MANY - 1)
    assert Person.objects.filter(is_staff=True).count() == trail("person.made_operator") == 1


def test_of_owners_who_leave_at_once_one_stays(cast: Cast) -> None:
    members_of(cast.account)
    owners = list(
        Member.objects.filter(account=cast.account, role="owner").select_related("account", "person")
    )
    leave = [partial(members.remove, by=principal_of(each.person), member=each) for each in owners]
    results = together(leave)
    assert raised(results) == [Forbidden]
    assert Member.objects.filter(account=cast.account, role="owner").count() == 1


def test_who_became_owner_meanwhile_is_not_demoted_as_what_they_were(cast: Cast) -> None:
    """The page was loaded while somebody was a manager; since then they are the only owner."""
    by = cast.by("owner")
    seen = Member.objects.select_related("account", "person").get(person=cast.manager)
    members.change_role(by=by, member=Member.objects.get(pk=seen.pk), role="owner")
    members.remove(by=by, member=Member.objects.get(person=cast.owner, account=cast.account))
    for act in (partial(members.change_role, role="viewer"), members.remove):
        with pytest.raises(Forbidden):
            act(by=by, member=seen)
    assert Member.objects.get(account=cast.account, role="owner").person == cast.manager


def test_passwords_replaced_at_once_leave_one_that_works(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    results = together([partial(passwords.replace, by=cast.by("owner"), user=user)] * MANY)
    assert raised(results) == []
    assert len(passwords.live(user)) == 1


def test_of_rotations_at_once_one_wins(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    results = together([partial(passwords.rotate, by=cast.by("owner"), user=user)] * MANY)
    assert raised(results) == [Conflict] * (MANY - 1)
    [made] = [each for each in results if isinstance(each, str)]
    live = passwords.live(user)
    assert len(live) == Secret.objects.count() == 2
    assert live[0].digest in credentials.digests(made, peppers())
    assert trail("user.password_rotated") == 1


def test_of_two_passwords_ended_at_once_one_stays(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    passwords.rotate(by=cast.by("owner"), user=user)
    end = [partial(passwords.end, by=cast.by("owner"), secret=each) for each in passwords.live(user)]
    assert raised(together(end)) == [Conflict]
    assert len(passwords.live(user)) == 1


def meanwhile(statement: str, by: Callable[[], object], act: Callable[[], object]) -> object:
    """What `act` comes to while `by` is done and not yet committed: that waits for `act` to reach `statement`."""
    reached, begun = threading.Event(), threading.Event()

    def watch(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith(statement):
            reached.set()
        return execute(sql, *arguments)

    def first() -> None:
        with transaction.atomic():
            by()
            begun.set()
            assert reached.wait(PATIENCE)

    def second() -> object:
        assert begun.wait(PATIENCE)
        with connections["default"].execute_wrapper(watch):
            return act()

    done, result = together([first, second])
    assert done is None
    return result


def creations(cast: Cast, key: str) -> tuple[type[Any], list[Callable[[], object]]]:
    """What is created, and MANY ways of creating one that get in each other's way nowhere but at the limit."""
    by, account = cast.by("owner"), cast.account
    namespace = factories.NamespaceFactory(account=account)
    match key:
        case "namespaces":
            names = [f"name{number}" for number in range(MANY)]
            return Namespace, [
                partial(namespaces.create, by=by, account=account, name=each) for each in names
            ]
        case "users":
            create = partial(users.create, by=by, account=account, description="CI", expires_at=None)
            return RegistryUser, [create] * MANY
        case "grants":
            members_ = factories.RegistryUserFactory.create_batch(MANY, account=account)
            give = partial(grants.give, by=by, namespace=namespace, level="read")
            return Grant, [partial(give, user=each) for each in members_]
        case "retention_rules":
            create = partial(
                retention_service.create, by=by, namespace=namespace, conditions={"keep_last": 1}
            )
            return RetentionRule, [partial(create, image_name=f"image{number}") for number in range(MANY)]
        case "invitations":
            return Invitation, [partial(invitations.invite, by=by, account=account, role="viewer")] * MANY
        case "api_tokens":
            return ApiToken, [
                partial(api_tokens.create, by=by, name="CI", expires_at=None, confirmed=True)
            ] * MANY
        case "accounts":
            return Account, [partial(accounts.open_account, by=by, name="Blue")] * MANY
    made = [invitations.invite(by=by, account=account, role="viewer")[0] for _ in range(MANY)]
    guests = [principal_of(factories.PersonFactory()) for _ in range(MANY)]
    accept = invitations.accept
    return Member, [partial(accept, by=who, invitation=each) for who, each in zip(guests, made, strict=True)]


@pytest.mark.parametrize("limit", [*OF_ACCOUNT, *OF_PERSON], ids=lambda limit: limit.key)
def test_together_nobody_passes_a_limit(cast: Cast, settings: Any, limit: Limit[Any]) -> None:
    model, acts = creations(cast, limit.key)
    before, room = model.objects.count(), 2
    held = {"members": 3, "namespaces": 1}.get(limit.key, 0)
    setattr(settings, limit.setting, held + room)
    results = together(acts)
    assert raised(results) == [Conflict] * (MANY - room)
    assert model.objects.count() == before + room


def test_of_two_who_delete_a_namespace_one_does_and_the_other_finds_none(cast: Cast) -> None:
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    delete = partial(namespaces.delete, by=cast.by("owner"), namespace=namespace, confirmation="team")
    assert raised(together([delete] * MANY)) == [NotFound] * (MANY - 1)
    assert trail("namespace.deleted") == 1


@pytest.mark.parametrize("act", ["edit", "disable", "enable", "replace", "rotate", "delete"])
def test_a_user_that_was_deleted_meanwhile_is_absent(cast: Cast, act: str) -> None:
    off = timezone.now() if act == "enable" else None
    user = factories.RegistryUserFactory(account=cast.account, disabled_at=off)
    seen = RegistryUser.objects.get(pk=user.pk)
    users.delete(by=cast.by("owner"), user=user)
    more = {"description": "another", "expires_at": None} if act == "edit" else {}
    service = passwords if act in ("replace", "rotate") else users
    with pytest.raises(NotFound):
        getattr(service, act)(by=cast.by("owner"), user=seen, **more)
    assert trail("user.deleted") == 1


@pytest.mark.parametrize("act", ["change", "set_enabled", "remove"])
def test_a_rule_that_was_removed_meanwhile_is_absent(cast: Cast, act: str) -> None:
    by, namespace = cast.by("owner"), factories.NamespaceFactory(account=cast.account)
    rule = retention_service.create(by=by, namespace=namespace, image_name="", conditions={"keep_last": 1})
    seen = RetentionRule.objects.get()
    retention_service.remove(by=by, rule=rule)
    acts: dict[str, Callable[[], object]] = {
        "change": partial(retention_service.change, by=by, rule=seen, conditions={"keep_last": 2}),
        "set_enabled": partial(retention_service.set_enabled, by=by, rule=seen, enabled=True),
        "remove": partial(retention_service.remove, by=by, rule=seen),
    }
    with pytest.raises(NotFound):
        acts[act]()


@only_postgresql
def test_a_name_of_ones_own_that_is_being_cleared_needs_room_again(
    cast: Cast, operator: Person, settings: Any
) -> None:
    settings.MAX_NAMESPACES_PER_ACCOUNT = 1
    ReservedName.objects.create(name="team", account=cast.account)
    CatalogRead.objects.get_or_create(registry=settings.REGISTRY_URL, defaults={"started_at": timezone.now()})
    create = partial(namespaces.create, by=cast.by("owner"), account=cast.account)

    def clear_and_fill() -> None:
        clear(operator)
        create(name="fresh")

    result = meanwhile('SELECT "accounts_account"', clear_and_fill, partial(create, name="team"))
    assert isinstance(result, Conflict)
    assert Namespace.objects.get().name == "fresh"


@only_postgresql
@pytest.mark.parametrize("held_images", [False, True])
def test_the_name_of_a_namespace_that_is_being_deleted_is_not_caught(cast: Cast, held_images: bool) -> None:
    """Tokens for the old one are still good, and the registry may hold its blobs."""
    old = factories.NamespaceFactory(account=cast.account, name="team")
    if held_images:
        factories.ImageFactory(namespace=old, tag_count=0)
    result = meanwhile(
        'INSERT INTO "namespaces_reservedname"',
        partial(namespaces.delete, by=cast.by("owner"), namespace=old, confirmation="team"),
        partial(namespaces.create, by=cast.by("stranger"), account=cast.elsewhere, name="team"),
    )
    assert isinstance(result, Conflict)
    assert not Namespace.objects.exists()
    assert ReservedName.objects.filter(name="team").exists()


@only_postgresql
@pytest.mark.parametrize("act", ["accept", "reserve"])
def test_an_invitation_whose_maker_is_being_removed_lets_nobody_in(cast: Cast, act: str) -> None:
    """The removal is done and not committed; who comes by the link meanwhile waits, and then finds it void."""
    second = factories.MemberFactory(account=cast.account, role="owner")
    maker = principal_of(second.person)
    invitation, _text = invitations.invite(by=maker, account=cast.account, role="owner")
    guest = factories.PersonFactory()
    come = {
        "accept": partial(invitations.accept, by=principal_of(guest), invitation=invitation),
        "reserve": partial(invitations.reserve, id=invitation.pk, person=guest, by=principal_of(guest)),
    }
    result = meanwhile(
        'SELECT "accounts_account"', partial(members.remove, by=cast.by("owner"), member=second), come[act]
    )
    assert result is False or isinstance(result, NotFound)
    assert not Member.objects.filter(person=guest).exists()
    assert not Invitation.objects.filter(reserved_for=guest).exists()


@only_postgresql
def test_an_issuer_that_is_being_deleted_is_trusted_by_nobody(cast: Cast) -> None:
    issuer = factories.IdTokenIssuerFactory(account=cast.account, pasted_jwks=factories.jwks())
    user = factories.RegistryUserFactory(account=cast.account)
    seen = IdTokenIssuer.objects.get(pk=issuer.pk)
    trust = partial(trust_policies.create, user=user, issuer=seen, rules={"sub": {"is": ["ci"]}})
    result = meanwhile(
        'SELECT "accounts_idtokenissuer"',
        partial(issuers.delete, by=cast.by("owner"), issuer=issuer),
        partial(trust, by=cast.by("owner")),
    )
    assert isinstance(result, Invalid)
    assert not TrustPolicy.objects.exists()


def give(cast: Cast, operator: Person) -> Namespace:
    return operations_service.assign(by=principal_of(operator), first="team", handle="elsewhere")


def clear(operator: Person) -> None:
    operations_service.release_name(by=principal_of(operator), name="team", confirmation="team")


@only_postgresql
def test_a_name_is_not_caught_while_it_is_found_in_the_registry(cast: Cast) -> None:
    result = meanwhile(
        'INSERT INTO "namespaces_reservedname"',
        partial(writer.write_catalog, Plan(add=["team/app"]), timezone.now(), {}),
        partial(namespaces.create, by=cast.by("stranger"), account=cast.elsewhere, name="team"),
    )
    assert isinstance(result, Conflict)
    assert ReservedName.objects.get().account is None


@only_postgresql
def test_a_name_that_is_being_given_away_is_not_had_again(cast: Cast, operator: Person) -> None:
    ReservedName.objects.create(name="team", account=cast.account)
    result = meanwhile(
        'SELECT "namespaces_reservedname"',
        partial(give, cast, operator),
        partial(namespaces.create, by=cast.by("owner"), account=cast.account, name="team"),
    )
    assert isinstance(result, Conflict)
    assert Namespace.objects.get().account == cast.elsewhere


@only_postgresql
def test_a_name_is_not_cleared_while_something_is_found_under_it(cast: Cast, operator: Person) -> None:
    ReservedName.objects.create(name="team", account=cast.account)
    result = meanwhile(
        'SELECT "namespaces_reservedname"', partial(writer.assign, "team/app"), partial(clear, operator)
    )
    assert isinstance(result, Conflict)
    assert ReservedName.objects.get().account == cast.account


@only_postgresql
def test_what_is_found_under_a_name_that_is_being_cleared_keeps_it(cast: Cast, operator: Person) -> None:
    ReservedName.objects.create(name="team", account=cast.account)
    row = meanwhile(
        'INSERT INTO "namespaces_reservedname"', partial(clear, operator), partial(writer.assign, "team/app")
    )
    assert isinstance(row, Repository)
    assert ReservedName.objects.get().account is None
    with pytest.raises(Conflict):
        namespaces.create(by=cast.by("stranger"), account=cast.elsewhere, name="team")


@only_postgresql
def test_repositories_of_a_namespace_that_is_being_deleted_stay_unassigned(cast: Cast) -> None:
    old = factories.NamespaceFactory(account=cast.account, name="team")
    Repository.objects.create(name="team/app")
    result = meanwhile(
        'SELECT "namespaces_namespace"."id"',
        partial(namespaces.delete, by=cast.by("owner"), namespace=old, confirmation="team"),
        writer.assign_all,
    )
    assert result == 0
    assert Repository.objects.get().image is None
