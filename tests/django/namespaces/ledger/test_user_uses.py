"""What a user did, on its page; and the smallest permissions for that, proposed and made."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, DropCounter
from namespaces.access import Level
from namespaces.models import Grant, Namespace
from tests import factories, statements
from tests.cast import MEMBERS, OUTSIDERS, Cast
from tests.django.namespaces.ledger.test_breakage import NOON, entry, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(cast: Cast) -> Any:
    """May write to all of team, and pulled team/api, pushed team/web, and asked for team/c."""
    team = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    factories.GrantFactory(user=user, namespace=team, level=Level.WRITE)
    secret = user.secrets.get().pk
    entry(
        user,
        team,
        confirmed_count=812,
        secret=secret,
        networks="10.0.0.0/24 10.0.9.0/24",
        client="docker/27.5",
    )
    entry(user, team, "push", image_name="web", confirmed_count=1, last_at=NOON - timedelta(days=1))
    entry(user, team, image_name="c", count=33, secret=999)
    return user


def path_of(user: Any, last: str = "uses") -> str:
    return f"/a/team-red/users/{user.username}/{last}/"


def levels(user: Any) -> list[tuple[str, int]]:
    return list(Grant.objects.filter(user=user).order_by("image_name").values_list("image_name", "level"))


@pytest.mark.parametrize("who", MEMBERS)
def test_members_see_what_it_did(cast: Cast, user: Any, who: str) -> None:
    page = text_of(cast.client(who).get(path_of(user)))
    for words in ("812 pulls", "1 push", "33 tokens, no use seen", "10.0.0.0/24, 10.0.9.0/24", "docker/27.5",
                  f"rmp_…{user.secrets.get().hint}", "a deleted one", "not known"):  # fmt: skip
        assert words in page
    assert ("Make these changes" in page) == (who != "viewer")


def test_an_id_token_is_named_by_its_trust_policy(cast: Cast, user: Any) -> None:
    policy = factories.TrustPolicyFactory(user=user, note="nightly builds")
    team = Namespace.objects.get(name="team")
    entry(user, team, "push", image_name="api", confirmed_count=7, secret=-policy.pk)
    page = text_of(cast.client("viewer").get(path_of(user)))
    assert "ID token: nightly builds" in page
    page = text_of(cast.client("viewer").get(path_of(user), {"password": -policy.pk}))
    assert "7 pushes" in page
    assert "812 pulls" not in page
    policy.delete()
    assert "7 pushes" in text_of(cast.client("viewer").get(path_of(user)))


@pytest.mark.parametrize("who", OUTSIDERS)
def test_others_find_nothing(cast: Cast, user: Any, who: str) -> None:
    assert cast.client(who).get(path_of(user)).status_code in {302, 404}
    assert cast.client(who).post(path_of(user, "shrink")).status_code in {302, 404}
    assert levels(user) == [("", Level.WRITE)]


def test_it_is_filtered_by_password_and_image(cast: Cast, user: Any) -> None:
    client = cast.client("viewer")
    page = text_of(client.get(path_of(user), {"password": user.secrets.get().pk}))
    assert "812 pulls" in page
    assert "33 tokens" not in page
    assert "Smallest permissions" not in page
    page = text_of(client.get(path_of(user), {"q": "team/web"}))
    assert "Nothing matches." in page
    page = text_of(client.get(path_of(user), {"q": "web", "password": "no"}))
    assert "1 push" in page
    assert "812 pulls" not in page


def test_smaller_permissions_are_proposed_with_what_they_break_and_made(cast: Cast, user: Any) -> None:
    client = cast.client("manager")
    answer = client.get(path_of(user))
    page = text_of(answer)
    for words in ("Remove write on team", "Add read on team/api", "Add write on team/web",
                  "Requests that were allowed in the last 60 days would be refused:",
                  "33 tokens, no pull or push seen (team/c)"):  # fmt: skip
        assert words in page
    assert (
        client.post(path_of(user, "shrink"), {"digest": answer.context["proposal"].digest}).status_code == 302
    )
    assert levels(user) == [("api", Level.READ), ("web", Level.WRITE)]
    actions = AuditEvent.objects.filter(action__startswith="grant.").values_list("action", flat=True)
    assert sorted(actions) == ["grant.given", "grant.given", "grant.removed"]
    assert "Its permissions are the smallest that serve what it did." in text_of(client.get(path_of(user)))


def test_a_level_that_was_not_used_is_lowered_and_an_end_is_kept(cast: Cast, user: Any) -> None:
    ends = timezone.now() + timedelta(days=9)
    Grant.objects.update(image_name="api", expires_at=ends)
    client = cast.client("owner")
    answer = client.get(path_of(user))
    assert "Change write on team/api" in text_of(answer)
    client.post(path_of(user, "shrink"), {"digest": answer.context["proposal"].digest})
    assert levels(user) == [("api", Level.READ)]
    assert Grant.objects.get().expires_at == ends


def test_a_permission_that_ended_is_renewed_where_it_is_proposed(cast: Cast, user: Any) -> None:
    ended = factories.GrantFactory(
        user=user, namespace=Namespace.objects.get(), image_name="api", level=Level.ADMIN
    )
    Grant.objects.filter(pk=ended.pk).update(expires_at=NOON)
    client = cast.client("owner")
    client.post(path_of(user, "shrink"), {"digest": client.get(path_of(user)).context["proposal"].digest})
    assert levels(user) == [("api", Level.READ), ("web", Level.WRITE)]


def test_what_has_changed_meanwhile_is_not_made(cast: Cast, user: Any) -> None:
    client = cast.client("owner")
    digest = client.get(path_of(user)).context["proposal"].digest
    entry(user, Namespace.objects.get(), "push", image_name="api", confirmed_count=1)
    answer = client.post(path_of(user, "shrink"), {"digest": digest}, follow=True)
    assert "What is proposed has changed meanwhile." in text_of(answer)
    assert levels(user) == [("", Level.WRITE)]


def test_a_viewer_may_not(cast: Cast, user: Any) -> None:
    digest = cast.client("owner").get(path_of(user)).context["proposal"].digest
    assert cast.client("viewer").post(path_of(user, "shrink"), {"digest": digest}).status_code == 403
    assert levels(user) == [("", Level.WRITE)]


def test_without_a_pull_or_push_nothing_is_proposed(cast: Cast, settings: Any) -> None:
    idle = factories.GrantFactory(user__account=cast.account, namespace__name="idle")
    entry(idle.user, idle.namespace)
    answer = cast.client("owner").get(path_of(idle.user))
    assert "The registry reported no pull or push by this user." in text_of(answer)
    assert answer.context["proposal"].steps == []
    nobody = factories.RegistryUserFactory(account=cast.account)
    assert "No request was allowed in the last 60 days." in text_of(cast.client("owner").get(path_of(nobody)))
    settings.ACCESS_LEDGER_DAYS = 1
    page = text_of(cast.client("owner").get(path_of(nobody)))
    for part in ("Tokens of the last 1 day, and", "No request was allowed in the last 1 day."):
        assert part in page


def test_the_bound_is_said_and_what_was_dropped(cast: Cast, user: Any) -> None:
    DropCounter.objects.create(
        kind=DropCounter.Kind.LEDGER, username=user.username, count=1234, first_at=NOON, last_at=NOON
    )
    page = text_of(cast.client("viewer").get(path_of(user)))
    assert "At most 2,000 new entries a day are kept for a user, and 20,000 for an account" in page
    assert "1,234 requests were not kept" in page


def test_a_page_asks_few_statements(cast: Cast, user: Any) -> None:
    for number in range(60):
        entry(user, Namespace.objects.get(), image_name=f"i{number}", confirmed_count=1)
    client = cast.client("owner")
    client.get(path_of(user))
    with statements.counted() as asked:
        page = client.get(path_of(user))
    assert len(asked) <= 16, "\n".join(asked)
    assert page.context["page"].next_url
