"""The table of groups, and what a sign-in makes of it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.utils import timezone

from accounts.common.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import AuditEvent, GroupRole, Member, Person, SecurityEvent
from accounts.services import group_memberships, group_roles, invitations, members
from tests import factories
from tests.cast import Cast, client_for, just_signed_in, principal_of
from tests.django.api.caller import Caller, fields_of, token_of

PAGE = "/system/groups/"


@pytest.fixture
def ann(db: None) -> Person:
    person: Person = factories.PersonFactory(email="ann@example.com")
    return person


@pytest.fixture
def browser(operator: Person) -> Client:
    return just_signed_in(client_for(operator))


def row(cast: Cast, operator: Person, group: str = "dev", role: str = "manager") -> GroupRole:
    return group_roles.create(by=principal_of(operator), group=group, account="team-red", role=role)


def sign_in(person: Person, *groups: str, uid: str = "") -> None:
    """As the provider names them."""
    SocialAccount.objects.update_or_create(
        provider="sso",
        uid=uid or person.email,
        defaults={"user": person, "extra_data": {"userinfo": {"groups": groups}}},
    )
    group_memberships.apply(person=person, groups=groups)


def role(cast: Cast, person: Person) -> str:
    return (
        Member.objects.filter(account=cast.account, person=person).values_list("role", flat=True).first()
        or ""
    )


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_a_group_gives_a_role_and_leaving_it_ends_it(cast: Cast, operator: Person, ann: Person) -> None:
    row(cast, operator)
    sign_in(ann, "dev", "other")
    assert role(cast, ann) == "manager"
    sign_in(ann, "dev")
    sign_in(ann, "other")
    assert role(cast, ann) == ""
    events = AuditEvent.objects.filter(account_id=cast.account.pk).order_by("pk")
    assert [(each.action, each.actor) for each in events][1:] == [
        ("member.added", "system (groups at sign-in)"),
        ("member.removed", "system (groups at sign-in)"),
    ]
    assert events[1].after == {"role": "manager", "groups": ["dev"]}


def test_what_was_given_by_hand_stays(cast: Cast, operator: Person) -> None:
    row(cast, operator)
    sign_in(cast.viewer, "dev")
    assert role(cast, cast.viewer) == "manager"
    sign_in(cast.viewer)
    assert role(cast, cast.viewer) == "viewer"
    row(cast, operator, "guests", "viewer")
    sign_in(cast.manager, "guests")
    sign_in(cast.manager)
    assert role(cast, cast.manager) == "manager"


def test_the_last_owner_stays_until_there_is_another(cast: Cast, operator: Person, ann: Person) -> None:
    row(cast, operator, role="owner")
    sign_in(ann, "dev")
    members.remove(
        by=principal_of(cast.owner), member=Member.objects.get(person=cast.owner, account=cast.account)
    )
    sign_in(ann)
    assert role(cast, ann) == "owner"
    Member.objects.create(account=cast.account, person=cast.owner, role="owner")
    sign_in(ann)
    assert role(cast, ann) == ""


def test_a_full_account_takes_nobody_in(
    cast: Cast, operator: Person, ann: Person, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MAX_MEMBERS_PER_ACCOUNT = 3
    row(cast, operator)
    sign_in(ann, "dev")
    assert role(cast, ann) == ""
    assert "team-red is full" in caplog.text
    settings.MAX_MEMBERS_PER_ACCOUNT = 4
    sign_in(ann, "dev")
    assert role(cast, ann) == "manager"


def test_a_closed_account_is_left_alone(cast: Cast, operator: Person, ann: Person) -> None:
    row(cast, operator)
    cast.account.closed_at = cast.account.created_at
    cast.account.save()
    sign_in(ann, "dev")
    assert role(cast, ann) == ""


def test_an_owner_cannot_lower_what_a_group_gives(cast: Cast, operator: Person, ann: Person) -> None:
    row(cast, operator)
    sign_in(ann, "dev")
    member = Member.objects.get(account=cast.account, person=ann)
    with pytest.raises(Forbidden, match="through a group"):
        members.change_role(by=cast.by("owner"), member=member, role="viewer")
    members.change_role(by=cast.by("owner"), member=member, role="owner")
    sign_in(ann)
    assert role(cast, ann) == "owner"  # given by hand meanwhile


def test_removing_a_member_says_that_the_group_brings_them_back(
    cast: Cast, operator: Person, ann: Person
) -> None:
    row(cast, operator)
    sign_in(ann, "dev")
    words = "make them a member again when they next sign in there"
    assert words in text(cast.client("owner").get(f"/a/team-red/settings/members/{ann.pk}/remove/"))
    assert words not in text(
        cast.client("owner").get(f"/a/team-red/settings/members/{cast.viewer.pk}/remove/")
    )


def test_an_invitation_stays_when_the_group_goes(cast: Cast, operator: Person, ann: Person) -> None:
    row(cast, operator)
    sign_in(ann, "dev")
    invitation, _link = invitations.invite(by=cast.by("owner"), account=cast.account, role="viewer")
    invitations.accept(by=principal_of(ann), invitation=invitation)
    assert role(cast, ann) == "manager"
    sign_in(ann)
    assert role(cast, ann) == "viewer"


def test_links_that_a_member_made_end_with_the_role(cast: Cast, operator: Person, ann: Person) -> None:
    row(cast, operator, role="owner")
    sign_in(ann, "dev")
    invitation, _link = invitations.invite(by=principal_of(ann), account=cast.account, role="owner")
    sign_in(ann)
    invitation.refresh_from_db()
    assert invitation.voided_at


@pytest.mark.parametrize(("days", "stays"), [(29, True), (31, False)])
def test_who_is_not_heard_of_for_long_loses_what_groups_gave(
    cast: Cast, operator: Person, ann: Person, settings: Any, days: int, stays: bool
) -> None:
    """They left, and sign in no more; their API tokens would go on."""
    settings.OIDC_ISSUER, settings.OIDC_OPERATOR_GROUP = "https://login.example.com", "admins"
    row(cast, operator)
    sign_in(ann, "dev", "admins")
    sign_in(cast.viewer, "dev")
    group_memberships.end_stale(timezone.now() + timedelta(days=days))
    ann.refresh_from_db()
    assert (role(cast, ann), ann.is_staff) == ("manager" if stays else "", stays)
    assert role(cast, cast.viewer) == ("manager" if stays else "viewer")


@pytest.mark.parametrize(
    ("setting", "value"), [("OIDC_ISSUER", ""), ("OIDC_GROUPS_DAYS", 0)], ids=["no provider", "never"]
)
def test_where_nobody_can_be_heard_of_nothing_ends(
    cast: Cast, operator: Person, ann: Person, settings: Any, setting: str, value: Any
) -> None:
    settings.OIDC_ISSUER = "https://login.example.com"
    setattr(settings, setting, value)
    row(cast, operator)
    sign_in(ann, "dev")
    group_memberships.end_stale(timezone.now() + timedelta(days=4000))
    assert role(cast, ann) == "manager"


@pytest.mark.parametrize("last", [True, False])
def test_operators_by_group(ann: Person, settings: Any, last: bool) -> None:
    settings.OIDC_OPERATOR_GROUP = "admins"
    if not last:
        factories.PersonFactory(is_staff=True)
    sign_in(ann, "admins")
    ann.refresh_from_db()
    assert ann.is_staff
    sign_in(ann)
    ann.refresh_from_db()
    assert ann.is_staff is last
    told = list(SecurityEvent.objects.filter(person=ann).order_by("pk").values_list("kind", flat=True))
    assert told == ["made_operator"] + ([] if last else ["unmade_operator"])


def test_who_is_no_operator_any_more_is_not_ended_again(ann: Person, operator: Person, settings: Any) -> None:
    settings.OIDC_OPERATOR_GROUP = "admins"
    sign_in(ann, "admins")
    Person.objects.filter(pk=ann.pk).update(is_staff=False)
    sign_in(ann)
    ann.refresh_from_db()
    assert not ann.operator_by_group
    assert not AuditEvent.objects.filter(action="person.operator_ended").exists()


def test_an_operator_made_by_hand_stays_one(operator: Person, settings: Any) -> None:
    settings.OIDC_OPERATOR_GROUP = "admins"
    factories.PersonFactory(is_staff=True)
    sign_in(operator, "admins")
    sign_in(operator)
    operator.refresh_from_db()
    assert operator.is_staff


# The table ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"group": " "}, "group"),
        ({"group": "x" * 256}, "group"),
        ({"group": "a\0b"}, "group"),
        ({"account": "nowhere"}, "account"),
        ({"role": "king"}, "role"),
    ],
)
def test_a_bad_row_is_not_made(cast: Cast, operator: Person, form: dict[str, str], field: str) -> None:
    good = {"group": "dev", "account": "team-red", "role": "viewer"}
    with pytest.raises(Invalid) as refused:
        group_roles.create(by=principal_of(operator), **(good | form))
    assert set(refused.value.errors) == {field}
    answer = Caller(token_of(operator)).post("system/groups/", good | form)
    assert answer.status_code == 400
    assert fields_of(answer) == {field}
    assert not GroupRole.objects.exists()


def test_a_group_has_one_role_in_an_account(cast: Cast, operator: Person, browser: Client) -> None:
    row(cast, operator)
    with pytest.raises(Conflict):
        row(cast, operator, role="viewer")
    answer = browser.post(PAGE, {"group": "dev", "account": "team-red", "role": "viewer"})
    assert answer.status_code == 400
    assert "has a role in this account already" in text(answer)


def test_removing_a_row_names_who_loses_and_does_it_at_once(
    cast: Cast, operator: Person, ann: Person, browser: Client
) -> None:
    gone, other = row(cast, operator), row(cast, operator, "guests", "viewer")
    sign_in(ann, "dev")
    sign_in(cast.stranger, "dev", "guests")
    question = text(browser.get(f"{PAGE}{gone.pk}/delete/"))
    assert "ann@example.com stops being a member at once." in question
    assert "stranger@example.com is viewer from then on." in question
    assert "owner@example.com" not in question
    browser.post(f"{PAGE}{gone.pk}/delete/")
    assert (role(cast, ann), role(cast, cast.stranger)) == ("", "viewer")
    assert "No member has this role through this group alone" not in text(
        browser.get(f"{PAGE}{other.pk}/delete/")
    )


def test_lowering_a_row_asks_first(cast: Cast, operator: Person, ann: Person, browser: Client) -> None:
    found = row(cast, operator)
    sign_in(ann, "dev")
    asked = browser.post(f"{PAGE}{found.pk}/", {"role": "viewer"})
    assert asked.headers["Location"] == f"{PAGE}{found.pk}/?role=viewer"
    assert role(cast, ann) == "manager"
    assert "ann@example.com is viewer from then on." in text(browser.get(asked.headers["Location"]))
    browser.post(f"{PAGE}{found.pk}/", {"role": "viewer", "sure": "yes"})
    assert role(cast, ann) == "viewer"
    browser.post(f"{PAGE}{found.pk}/", {"role": "king"})
    found.refresh_from_db()
    assert found.role == "viewer"


def test_a_row_counts_the_groups_of_the_last_sign_in_alone(cast: Cast, operator: Person, ann: Person) -> None:
    """Who is linked at a provider from before, too, was in other groups there."""
    before, _now = row(cast, operator, "team", "viewer"), row(cast, operator, "dev", "viewer")
    sign_in(ann, "team", uid="ann, at a provider from before")
    sign_in(ann, "dev")
    assert not group_roles.preview(before, role="owner")
    group_roles.change(by=principal_of(operator), group_role=before, role="owner")
    assert role(cast, ann) == "viewer"


def test_raising_a_row_asks_nothing(cast: Cast, operator: Person, browser: Client) -> None:
    found = row(cast, operator)
    browser.post(f"{PAGE}{found.pk}/", {"role": "owner"})
    found.refresh_from_db()
    assert found.role == "owner"


def test_the_preview_is_what_happens(cast: Cast, operator: Person, ann: Person) -> None:
    found = row(cast, operator)
    sign_in(ann, "dev")
    caller = Caller(token_of(operator))
    told = caller.get(f"system/groups/{found.pk}/preview/").json()["results"]
    assert [(each["email"], each["role_before"], each["role_after"]) for each in told] == [
        ("ann@example.com", "manager", None)
    ]
    assert caller.get(f"system/groups/{found.pk}/preview/?role=owner").json()["results"] == [
        told[0] | {"role_after": "owner"}
    ]
    assert role(cast, ann) == "manager"


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_the_table_is_the_operators(cast: Cast, operator: Person, who: str) -> None:
    found = row(cast, operator)
    client = just_signed_in(cast.client(who))
    for path in (PAGE, f"{PAGE}{found.pk}/", f"{PAGE}{found.pk}/delete/"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"role": "owner"}).status_code == 404
    assert GroupRole.objects.get().role == "manager"


def test_a_session_left_open_gives_no_group_a_role(cast: Cast, operator: Person) -> None:
    answer = client_for(operator).post(PAGE, {"group": "dev", "account": "team-red", "role": "owner"})
    assert answer.status_code == 302
    assert not GroupRole.objects.exists()


def test_an_owner_who_is_disabled_does_not_stand_in_for_the_last(
    cast: Cast, operator: Person, ann: Person
) -> None:
    row(cast, operator, role="owner")
    sign_in(ann, "dev")
    Person.objects.filter(pk=cast.owner.pk).update(is_active=False)
    sign_in(ann)
    assert role(cast, ann) == "owner"
    member = Member.objects.get(account=cast.account, person=ann)
    with pytest.raises(Forbidden, match="at least one owner"):
        members.remove(by=principal_of(ann), member=member)
    disabled = Member.objects.get(account=cast.account, person=cast.owner)
    members.remove(by=principal_of(ann), member=disabled)
    assert role(cast, cast.owner) == ""


@pytest.mark.parametrize("act", [group_roles.delete, partial(group_roles.change, role="viewer")])
def test_a_row_that_another_operator_has_removed_is_not_there(
    cast: Cast, operator: Person, act: Callable[..., object]
) -> None:
    opened, by = row(cast, operator), principal_of(operator)
    group_roles.delete(by=by, group_role=GroupRole.objects.get())
    with pytest.raises(NotFound):
        act(by=by, group_role=opened)
    assert AuditEvent.objects.filter(action="group_role.deleted").count() == 1


def test_a_session_left_open_removes_no_row(cast: Cast, operator: Person) -> None:
    found, left_open = row(cast, operator), client_for(operator)
    assert "reauthenticate" in left_open.post(f"{PAGE}{found.pk}/delete/")["Location"]
    answer = left_open.delete(f"/api/v1{PAGE}{found.pk}/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "reauthentication_required")
    assert GroupRole.objects.exists()
