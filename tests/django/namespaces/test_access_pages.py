"""The tab Access: the matrix, and two questions about one image."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from namespaces.access import Level
from namespaces.models import Namespace
from tests import factories, statements
from tests.cast import MEMBERS, Cast

MATRIX = "/a/team-red/access/"
CHECK, WHO = f"{MATRIX}check/", f"{MATRIX}who/"
ALL = pytest.mark.parametrize("path", [MATRIX, CHECK, WHO])


@pytest.fixture
def team(cast: Cast) -> Namespace:
    found: Namespace = factories.NamespaceFactory(account=cast.account, name="team")
    return found


def page(cast: Cast, path: str, who: str = "viewer", status: int = 200, **query: str) -> Any:
    answer = cast.client(who).get(path, query)
    assert answer.status_code == status
    return answer


@ALL
@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_it(cast: Cast, path: str, who: str) -> None:
    assert "<h1>Access</h1>" in page(cast, path, who).text


@ALL
def test_nobody_else_does(cast: Cast, path: str) -> None:
    page(cast, path, "stranger", 404)
    page(cast, path, "anonymous", 302)


def test_an_empty_account_leads_to_its_first_steps(cast: Cast) -> None:
    text = page(cast, MATRIX).text
    assert "Nothing to show yet" in text
    assert 'href="/a/team-red/images/">Go to the first steps' in text


def cells(answer: Any) -> dict[str, list[tuple[str, ...]]]:
    """Who → (level, source, images and their level, level if it were not blocked) for each column."""
    return {
        row.user.description if row.user else "everyone": [
            (
                cell.level.word,
                cell.source.value if cell.source else "",
                f"{cell.image_count} {cell.image_level.word}" if cell.image_count else "",
                cell.blocked_level.word if cell.blocked_level else "",
            )
            for cell in row.cells
        ]
        for row in answer.context["matrix"].rows
    }


def test_each_cell_says_the_level_and_its_source(cast: Cast, team: Namespace) -> None:
    now = timezone.now()
    users = {
        name: factories.RegistryUserFactory(account=cast.account, description=name, **state)
        for name, state in {
            "active": {}, "disabled": {"disabled_at": now}, "expired": {"expires_at": now}, "none": {},
        }.items()
    }  # fmt: skip
    factories.NamespaceFactory(account=cast.account, name="world", public=True)
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs", public=True)
    for name in ("active", "disabled", "expired"):
        factories.GrantFactory(user=users[name], namespace=team, level=Level.READ)
        factories.GrantFactory(user=users[name], namespace=team, image_name="api", level=Level.WRITE)
        factories.GrantFactory(
            user=users[name], namespace=team, image_name="old", level=Level.ADMIN, expires_at=now
        )
    answer = page(cast, MATRIX)
    assert [each.namespace.name for each in answer.context["matrix"].columns] == ["team", "world"]
    public = ("read", "public", "", "")
    assert cells(answer) == {
        "everyone": [("none", "", "", ""), public],
        "active": [("read", "namespace", "1 write", ""), public],
        "disabled": [("none", "", "", "write"), ("none", "", "", "read")],
        "expired": [("none", "", "", "write"), ("none", "", "", "read")],
        "none": [("none", "", "", ""), public],
    }
    username = users["active"].username
    assert f'<a href="/a/team-red/n/team/permissions/?q={username}">+1 image: write</a>' in answer.text
    assert "(write)" in answer.text
    assert 'href="/a/team-red/n/world/settings/"' in answer.text
    assert "theirs" not in answer.text

    opened = page(cast, MATRIX, namespace="team")
    assert [each.image_name for each in opened.context["matrix"].columns] == ["", "api"]
    assert cells(opened)["active"] == [("read", "namespace", "1 write", ""), ("write", "image", "", "")]
    assert 'href="/a/team-red/n/team/i/api/-/access/"' in opened.text


@pytest.mark.parametrize("name", ["theirs", "missing"])
def test_only_namespaces_of_the_account_open(cast: Cast, team: Namespace, name: str) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs", public=True)
    page(cast, MATRIX, "owner", 404, namespace=name)
    page(cast, MATRIX, "stranger", 404, namespace="team")


def test_filters(cast: Cast, team: Namespace) -> None:
    other = factories.NamespaceFactory(account=cast.account, name="other")
    factories.NamespaceFactory(account=cast.account, name="unused")
    server, laptop, _idle = (
        factories.RegistryUserFactory(account=cast.account, description=name)
        for name in ("Server", "Laptop", "Idle")
    )
    factories.GrantFactory(user=server, namespace=team)
    factories.GrantFactory(user=laptop, namespace=other, image_name="api")

    def shown(**query: str) -> tuple[list[str], list[str]]:
        answer = page(cast, MATRIX, **query)
        matrix = answer.context["matrix"]
        return list(cells(answer)), [each.image_name or each.namespace.name for each in matrix.columns]

    assert shown() == (["Idle", "Laptop", "Server"], ["other", "team", "unused"])
    assert shown(user="lap", name="team") == (["Laptop"], ["team"])
    assert shown(granted="yes") == (["Laptop", "Server"], ["other", "team"])
    assert shown(granted="yes", user="serv") == (["Server"], ["team"])
    assert shown(granted="yes", name="other") == (["Laptop"], ["other"])
    assert shown(namespace="other", granted="yes") == (["Laptop"], ["other", "api"])
    assert shown(namespace="other", granted="yes", user="serv") == ([], ["other"])
    assert shown(namespace="other", name="web") == (["Idle", "Laptop", "Server"], ["other"])
    assert "Nothing matches this filter." in page(cast, MATRIX, user="nobody").text


def test_200_users_by_200_namespaces_in_pages_of_few_statements(cast: Cast) -> None:
    users = factories.RegistryUserFactory.create_batch(200, account=cast.account)
    namespaces = factories.NamespaceFactory.create_batch(200, account=cast.account)
    for number, user in enumerate(users):
        for each in (number, number * 7 + 1):
            factories.GrantFactory(
                user=user, namespace=namespaces[each % 200], image_name="" if each % 3 else "api"
            )
    client, seen = cast.client("viewer"), set()
    for path in (MATRIX, f"{MATRIX}?namespace={namespaces[0].name}"):
        client.get(path)
        with statements.counted() as asked:
            assert client.get(path).status_code == 200
        assert len(asked) <= 8, "\n".join(asked)

    across = MATRIX
    while across:
        down = across
        while down:
            answer = client.get(down)
            matrix = answer.context["matrix"]
            assert len(matrix.rows) <= 50
            assert len(matrix.columns) <= 20
            seen |= {(row.user.pk, column.namespace.pk) for row in matrix.rows for column in matrix.columns}
            down = MATRIX + matrix.users.next_url if matrix.users.next_url else ""
        first = client.get(across).context["matrix"]
        across = MATRIX + first.names.next_url if first.names.next_url else ""
    assert len(seen) == 40_000


@pytest.mark.parametrize("broken", ["page", "columns"])
def test_a_broken_page_address_is_said(cast: Cast, team: Namespace, broken: str) -> None:
    factories.RegistryUserFactory(account=cast.account)
    assert "This page address is broken" in page(cast, MATRIX, status=400, **{broken: "x"}).text


def test_what_people_are_called_stays_text(cast: Cast, team: Namespace) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="<script>alert(1)</script>")
    factories.GrantFactory(user=user, namespace=team)
    query = {"action": "pull", "repository": "team/api"}
    for path in (
        MATRIX,
        f"{WHO}?{urlencode(query)}",
        f"{CHECK}?{urlencode(query | {'user': user.username})}",
    ):
        assert "<script>alert" not in page(cast, path).text


def test_an_answer_says_why_and_what_would_change_it(cast: Cast, team: Namespace) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    factories.GrantFactory(user=user, namespace=team)
    asked = {"user": "ci deploy", "repository": "docker push localhost:5000/team/api:1.0"}

    text = page(cast, CHECK, action="pull", **asked).text
    assert f"CI deploy ({user.username}) may pull team/api." in text
    assert "Read on the namespace" in text
    assert f'href="/a/team-red/n/team/permissions/?q={user.username}"' in text
    assert "Nobody has pushed this image yet." in text

    text = page(cast, CHECK, action="push", **asked).text
    assert "may not push team/api." in text
    assert "Give write on the namespace or on this image." in text
    allow = f"/a/team-red/users/{user.username}/allow/push/team/api/"
    assert allow not in text  # a viewer may not
    assert f'<a href="{allow}?next=' in page(cast, CHECK, "manager", action="push", **asked).text


def test_what_would_be_denied_is_allowed_by_the_smallest_permission(cast: Cast, team: Namespace) -> None:
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    query = {"user": user.username, "action": "push", "repository": "team/api"}
    client = cast.client("manager")
    url = client.get(CHECK, query).context["fix"].url
    text = client.get(url).text
    assert "CI deploy can pull and push team/api until" in text
    assert "What would be denied" in text
    form = {"where": "image", "level": "write", "expiry": "7", "next": f"{CHECK}?{urlencode(query)}"}
    answer = client.post(url, form, follow=True)
    assert answer.context["verdict"]
    assert "may push team/api." in answer.text
    assert [(each.target, each.word) for each in user.grants.all()] == [("team/api", "write")]
    assert client.get(url).status_code == 302  # is allowed by now


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("viewer", "push/team/api", 403),
        ("stranger", "push/team/api", 404),
        ("owner", "mount/team/api", 404),
        ("owner", "push/team", 404),
        ("owner", "push/Team/api", 404),
    ],
)
def test_nothing_else_is_allowed_that_way(
    cast: Cast, team: Namespace, who: str, path: str, status: int
) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    assert cast.client(who).get(f"/a/team-red/users/{user.username}/allow/{path}/").status_code == status
    other = factories.RegistryUserFactory(account=cast.elsewhere)
    assert cast.client(who).get(f"/a/team-red/users/{other.username}/allow/{path}/").status_code in (403, 404)


@pytest.mark.parametrize(
    ("state", "public", "query", "link"),
    [
        ({"disabled_at": timezone.now()}, True, {"action": "pull"}, ">Enable the user"),
        ({}, False, {"action": "pull", "repository": "missing/app"}, ">Create the namespace"),
        (
            {},
            False,
            {"action": "pull", "user": ""},
            'href="/a/team-red/n/team/settings/">Change the visibility',
        ),
        ({}, False, {"action": "delete", "user": ""}, ""),
        ({}, False, {"action": "push", "repository": "world/app"}, ""),  # nobody here can change that
    ],
)
def test_the_way_to_what_would_change_it(
    cast: Cast, team: Namespace, state: dict[str, Any], public: bool, query: dict[str, str], link: str
) -> None:
    user = factories.RegistryUserFactory(account=cast.account, **state)
    factories.NamespaceFactory(account=cast.elsewhere, name="world", public=True)
    Namespace.objects.filter(pk=team.pk).update(public=public)
    answer = page(cast, CHECK, "owner", **{"user": user.username, "repository": "team/api"} | query)
    assert not answer.context["verdict"]
    assert link in answer.text
    assert bool(answer.context["fix"]) is bool(link)


def test_pages_of_namespaces_images_and_users_lead_here(cast: Cast, team: Namespace) -> None:
    assert f'href="{MATRIX}?namespace=team"' in page(cast, "/a/team-red/n/team/permissions/").text
    assert f'href="{CHECK}?image=team/api"' in page(cast, "/a/team-red/n/team/i/api/-/access/").text
    answer = page(cast, CHECK, image="team/api")
    assert answer.context["form"]["repository"].value() == "team/api"
    assert not answer.context["form"].errors
    user = factories.RegistryUserFactory(account=cast.account)
    assert f'href="{CHECK}?who={user.username}"' in page(cast, user.get_absolute_url()).text
    assert page(cast, f"{CHECK}?who={user.username}").context["form"]["user"].value() == user.username


def test_another_accounts_private_namespace_looks_absent(cast: Cast) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    for path in (CHECK, WHO):
        private, missing = (
            page(cast, path, action="pull", repository=f"{name}/app") for name in ("theirs", "missing")
        )
        assert "o such namespace in this account" in private.text
        assert private.context["ours"] is missing.context["ours"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"action": "pull", "repository": "team"}, "repository"),
        ({"action": "pull", "repository": ""}, "repository"),
        ({"action": "pull", "repository": "a\0/b"}, "repository"),
        ({"action": "mount", "repository": "team/api"}, "action"),
        ({"action": "pull", "repository": "team/api", "user": "nobody"}, "user"),
    ],
)
def test_a_wrong_question_is_said_at_its_field_and_kept(
    cast: Cast, query: dict[str, str], field: str
) -> None:
    for path in (CHECK, WHO)[: 1 if field == "user" else 2]:
        answer = page(cast, path, status=400, **query)
        assert list(answer.context["form"].errors) == [field]
        assert answer.context["form"]["repository"].value() == query["repository"]


def test_that_people_delete_too_is_said_beside_users_that_may(cast: Cast, team: Namespace) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="open", public=True)
    said = "Owners and managers of the account can also delete"
    assert said in page(cast, WHO, action="delete", repository="team/api").text
    for action, repository in (("push", "team/api"), ("delete", "open/api"), ("delete", "missing/api")):
        assert said not in page(cast, WHO, action=action, repository=repository).text


def test_everybody_who_may(cast: Cast, team: Namespace) -> None:
    now = timezone.now()
    for name, level, more in (
        ("Reader", Level.READ, {}),
        ("Writer", Level.WRITE, {}),
        ("Gone", Level.ADMIN, {"disabled_at": now}),
    ):
        user = factories.RegistryUserFactory(account=cast.account, description=name, **more)
        factories.GrantFactory(user=user, namespace=team, level=level)
    ended = factories.RegistryUserFactory(account=cast.account, description="Ended")
    factories.GrantFactory(user=ended, namespace=team, level=Level.ADMIN, expires_at=now - timedelta(days=1))

    def listed(action: str) -> list[str]:
        found = page(cast, WHO, action=action, repository="team/api").context["found"]
        return [each.user.description for each in found.users]

    assert listed("pull") == ["Reader", "Writer"]
    assert listed("push") == ["Writer"]
    assert listed("delete") == []
    assert (
        "No user of this account may do this." in page(cast, WHO, action="delete", repository="team/api").text
    )
    assert ">Everyone<" not in page(cast, WHO, action="pull", repository="team/api").text
    Namespace.objects.update(public=True)
    assert ">Everyone<" in page(cast, WHO, action="pull", repository="team/api").text
    assert ">Everyone<" not in page(cast, WHO, action="push", repository="team/api").text
