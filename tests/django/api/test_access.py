"""/accounts/{handle}/access/…: may this user do this, and who may."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from namespaces.access import Level
from tests import factories
from tests.django.api.caller import fields_of
from tests.django.api.world import World

MATRIX = "accounts/team-red/access/"
CHECK, WHO = "accounts/team-red/access/check/", "accounts/team-red/access/who/"


def test_why_a_user_may(world: World) -> None:
    path = f"{CHECK}?user={world.user.username}&action=pull&repository=red/app/api"
    answer = world.caller("viewer").get(path).json()
    assert answer == {
        "username": world.user.username,
        "action": "pull",
        "repository": "red/app/api",
        "allowed": True,
        "reason": "read on the namespace",
        "remedy": "",
        "level": "read",
        "allowed_actions": ["pull"],
        "sources": [{"source": "namespace", "level": "read"}],
        "grants": [world.caller("viewer").get("accounts/team-red/grants/").json()["results"][0]],
        "proposed_grants": [],
    }


def test_why_a_user_may_not_and_what_would_change_it(world: World) -> None:
    path = f"{CHECK}?user={world.user.username}&action=delete&repository=red/app/api"
    answer = world.caller("viewer").get(path).json()
    assert (answer["allowed"], answer["level"]) == (False, "read")
    assert answer["reason"] == "delete denied: this user has read-only access here"
    assert answer["remedy"] == "Give admin on the namespace or on this image."
    assert answer["proposed_grants"] == [
        {"namespace": "red", "image": "app/api", "level": "admin", "replaces": "none"}
    ]


@pytest.mark.parametrize(
    ("public", "action", "allowed", "reason"),
    [
        (True, "pull", True, "the namespace is public"),
        (True, "push", False, "push denied: not signed in"),
        (False, "pull", False, "pull denied: not signed in, and the namespace is private"),
    ],
)
def test_without_a_user_nobody_is_signed_in(
    world: World, public: bool, action: str, allowed: bool, reason: str
) -> None:
    factories.NamespaceFactory(account=world.cast.account, name="team", public=public)
    answer = world.caller("viewer").get(f"{CHECK}?action={action}&repository=team/api").json()
    assert (answer["username"], answer["allowed"], answer["reason"]) == ("", allowed, reason)
    assert answer["proposed_grants"] == []


def test_a_grant_that_has_ended_counts_for_nothing(world: World) -> None:
    now = timezone.now()
    factories.GrantFactory(
        user=world.free_user,
        namespace=world.namespace,
        level=Level.ADMIN,
        expires_at=now - timedelta(seconds=1),
    )
    caller = world.caller("viewer")
    query = "action=delete&repository=red/app/api"
    answer = caller.get(f"{CHECK}?user={world.free_user.username}&{query}").json()
    assert (answer["allowed"], answer["level"], answer["grants"]) == (False, "none", [])
    assert caller.get(f"{WHO}?{query}").json()["results"] == []


@pytest.mark.parametrize("path", [f"{CHECK}?action=pull", f"{WHO}?action=pull"])
def test_another_accounts_namespace_is_absent_unless_it_is_public(world: World, path: str) -> None:
    theirs = factories.NamespaceFactory(account=world.cast.elsewhere, name="theirs")
    other = factories.GrantFactory(user__account=world.cast.elsewhere, namespace=theirs)
    caller = world.caller("owner")
    private = caller.get(f"{path}&repository=theirs/app").json()
    missing = caller.get(f"{path}&repository=missing/app").json()
    assert str(private).replace("theirs", "missing") == str(missing)

    theirs.public = True
    theirs.save()
    public = caller.get(f"{path}&repository=theirs/app").json()
    assert public.get("allowed", public.get("everyone")) is True
    assert other.user.username not in str(public)

    theirs.account.closed_at = timezone.now()
    theirs.account.save()
    assert str(caller.get(f"{path}&repository=theirs/app").json()) == str(private)


def test_another_accounts_user_is_absent(world: World) -> None:
    other = factories.RegistryUserFactory(account=world.cast.elsewhere)
    for username in (other.username, "nobody"):
        answer = world.caller("owner").get(f"{CHECK}?user={username}&action=pull&repository=red/app")
        assert answer.status_code == 400
        assert fields_of(answer) == {"user"}
        assert f"There is no user “{username}” in this account." in str(answer.json())


@pytest.mark.parametrize("path", [CHECK, WHO])
@pytest.mark.parametrize(
    "name", ["red", "red/", "/app", "Red/App", "red/app:1.0", "red/" + "a" * 200, "%00/a"]
)
def test_what_no_repository_is_called_is_said(world: World, path: str, name: str) -> None:
    answer = world.caller("owner").get(f"{path}?action=pull&repository={name}")
    assert answer.status_code == 400
    assert fields_of(answer) == {"repository"}


@pytest.mark.parametrize("path", [CHECK, WHO])
@pytest.mark.parametrize("query", ["repository=red/app", "action=mount&repository=red/app", "action=pull"])
def test_the_question_must_be_whole(world: World, path: str, query: str) -> None:
    assert world.caller("owner").get(f"{path}?{query}").status_code == 400


def test_who_may_and_through_which_grant(world: World) -> None:
    admin = factories.GrantFactory(
        user=world.user, namespace=world.namespace, image_name="app", level=Level.ADMIN
    )
    factories.GrantFactory(
        user=world.free_user, namespace=world.namespace, image_name="other", level=Level.ADMIN
    )
    caller = world.caller("viewer")
    body = caller.get(f"{WHO}?action=delete&repository=red/app").json()
    assert (body["everyone"], body["next"], body["previous"]) == (False, None, None)
    (row,) = body["results"]
    assert (row["username"], row["level"], row["reason"]) == (
        world.user.username,
        "admin",
        "admin on the image",
    )
    assert [each["id"] for each in row["grants"]] == [admin.pk, world.grant.pk]


def test_who_may_nothing_is_not_listed(world: World) -> None:
    now = timezone.now()
    caller, path = world.caller("viewer"), f"{WHO}?action=pull&repository=red/app"
    assert len(caller.get(path).json()["results"]) == 1
    for state in ({"disabled_at": now}, {"expires_at": now}):
        user = factories.RegistryUserFactory(account=world.cast.account, **state)
        factories.GrantFactory(user=user, namespace=world.namespace)
    assert len(caller.get(path).json()["results"]) == 1


def test_all_pages_of_those_who_may(world: World) -> None:
    for user in factories.RegistryUserFactory.create_batch(120, account=world.cast.account):
        factories.GrantFactory(user=user, namespace=world.namespace)
    caller, path, found = world.caller("viewer"), f"{WHO}?action=pull&repository=red/app", []
    while path:
        with CaptureQueriesContext(connection) as queries:
            body = caller.get(path).json()
        assert len(queries) <= 5  # token, member, namespace, users, grants
        found += [each["username"] for each in body["results"]]
        path = (body["next"] or "").partition("/api/v1/")[2]
    assert len(found) == len(set(found)) == 121


def test_users_by_namespaces(world: World) -> None:
    factories.GrantFactory(user=world.user, namespace=world.namespace, image_name="app", level=Level.ADMIN)
    world.free_user.disabled_at = timezone.now()
    world.free_user.save()
    factories.GrantFactory(user=world.free_user, namespace=world.empty)
    caller = world.caller("viewer")
    body = caller.get(MATRIX).json()
    assert body["columns"] == [
        {"namespace": "empty", "image": "", "public": False},
        {"namespace": "red", "image": "", "public": False},
    ]
    none = {"level": "none", "source": None, "image_count": 0, "image_level": "none", "blocked_level": "none"}
    used, free = body["results"]
    assert (used["username"], used["description"], used["state"]) == (
        world.user.username,
        "CI deploy",
        "active",
    )
    assert used["cells"] == [
        none,
        none | {"level": "read", "source": "namespace", "image_count": 1, "image_level": "admin"},
    ]
    assert (free["state"], free["cells"]) == ("disabled", [none | {"blocked_level": "read"}, none])
    pages = ("next", "previous", "next_columns", "previous_columns")
    assert [body[each] for each in pages] == [None] * 4

    opened = caller.get(f"{MATRIX}?namespace=red").json()
    assert [each["image"] for each in opened["columns"]] == ["", "app"]
    assert opened["results"][0]["cells"][1] == none | {"level": "admin", "source": "image"}
    assert caller.get(f"{MATRIX}?namespace=missing").status_code == 404
    factories.NamespaceFactory(account=world.cast.elsewhere, name="theirs", public=True)
    assert caller.get(f"{MATRIX}?namespace=theirs").status_code == 404


def test_the_matrix_is_filtered(world: World) -> None:
    def shown(query: str) -> tuple[list[str], list[str]]:
        body = world.caller("viewer").get(f"{MATRIX}?{query}").json()
        return [each["description"] for each in body["results"]], [
            each["namespace"] for each in body["columns"]
        ]

    assert shown("user=deploy") == (["CI deploy"], ["empty", "red"])
    assert shown("name=re&granted=true") == (["CI deploy"], ["red"])
    assert shown("granted=yes") == (["CI deploy"], ["red"])


def test_all_pages_of_the_matrix(world: World) -> None:
    factories.RegistryUserFactory.create_batch(60, account=world.cast.account)
    factories.NamespaceFactory.create_batch(30, account=world.cast.account)
    caller, seen, across = world.caller("viewer"), set(), MATRIX
    while across:
        down = across
        while down:
            with CaptureQueriesContext(connection) as queries:
                body = caller.get(down).json()
            assert len(queries) <= 6  # token, member, namespaces, users, grants; and twice the member
            names = [each["namespace"] for each in body["columns"]]
            seen |= {(row["username"], name) for row in body["results"] for name in names}
            assert all(len(row["cells"]) == len(names) for row in body["results"])
            down = (body["next"] or "").partition("/api/v1/")[2]
        across = (caller.get(across).json()["next_columns"] or "").partition("/api/v1/")[2]
    assert len(seen) == 62 * 32
    assert fields_of(caller.get(f"{MATRIX}?columns=x")) == {"columns"}
