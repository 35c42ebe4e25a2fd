"""/accounts/ and /accounts/{handle}/"""

from accounts.models import Account, AuditEvent, Member
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import error_of, fields_of
from tests.django.api.world import caller_of


def test_the_list_holds_ones_own_accounts_only(cast: Cast) -> None:
    for who, handle, role in (("viewer", "team-red", "viewer"), ("stranger", "elsewhere", "owner")):
        body = caller_of(cast, who).get("accounts/").json()
        assert [(each["handle"], each["role"]) for each in body["results"]] == [(handle, role)]
        assert (body["next"], body["previous"]) == (None, None)


def test_a_closed_account_is_gone(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    assert caller.delete("accounts/team-red/", {"confirmation": "team-blue"}).status_code == 400
    assert caller.get("accounts/team-red/").status_code == 200
    assert caller.delete("accounts/team-red/", {"confirmation": "team-red"}).status_code == 204
    assert caller.get("accounts/team-red/").status_code == 404
    assert caller.get("accounts/").json()["results"] == []


def test_opening_makes_the_one_who_asks_its_owner(cast: Cast) -> None:
    response = caller_of(cast, "stranger").post("accounts/", {"name": "Équipe Bleue"})
    assert response.status_code == 201
    shown = response.json()
    assert (shown["handle"], shown["name"], shown["role"]) == ("equipe-bleue", "Équipe Bleue", "owner")
    assert shown["created_at"].endswith("Z")
    account = Account.objects.get(handle="equipe-bleue")
    assert list(Member.objects.filter(account=account).values_list("person_id", "role")) == [
        (cast.stranger.pk, "owner")
    ]
    event = AuditEvent.objects.get(action="account.opened")
    assert (event.actor_id, event.actor, event.address) == (
        cast.stranger.pk,
        cast.stranger.email,
        "127.0.0.1",
    )


def test_a_handle_that_is_taken_gets_a_number(cast: Cast) -> None:
    shown = caller_of(cast, "stranger").post("accounts/", {"name": "Team Red"}).json()
    assert shown["handle"] == "team-red-2"


def test_renaming_keeps_the_handle(cast: Cast) -> None:
    caller = caller_of(cast, "owner")
    shown = caller.patch("accounts/team-red/", {"name": "Crimson"}).json()
    assert (shown["handle"], shown["name"]) == ("team-red", "Crimson")
    response = caller.patch("accounts/team-red/", {"name": "x" * 81})
    assert response.status_code == 400
    assert fields_of(response) == {"name"}
    assert Account.objects.get(handle="team-red").name == "Crimson"


def test_a_missing_field_is_named(cast: Cast) -> None:
    error = error_of(caller_of(cast, "owner").post("accounts/", {}))
    assert error["code"] == "invalid"
    assert error["fields"] == {"name": ["This field is required."]}
    assert error["message"] == "name: This field is required."


def test_pages_of_a_long_list_neither_miss_nor_repeat(cast: Cast, settings: object) -> None:
    for member in factories.MemberFactory.create_batch(110, person=cast.owner):
        assert member.role == "owner"
    caller, path, seen = caller_of(cast, "owner"), "accounts/", []
    while path:
        body = caller.get(path).json()
        seen += [each["handle"] for each in body["results"]]
        assert len(body["results"]) <= 50
        following = body["next"] or ""
        assert following.startswith(settings.PUBLIC_URL + "/api/v1/accounts/?page=") or not following
        path = following.partition("/api/v1/")[2]
    assert len(seen) == len(set(seen)) == 111


def test_a_forged_host_is_not_in_the_links(cast: Cast) -> None:
    factories.MemberFactory.create_batch(60, person=cast.owner)
    caller = caller_of(cast, "owner")
    caller.headers |= {"X-Forwarded-Host": "evil.example"}
    assert "evil.example" not in caller.get("accounts/").content.decode()
    caller.headers |= {"Host": "evil.example"}
    assert caller.get("accounts/").status_code == 400
