"""What a user was refused: kept afterwards, bounded, and shown to its account with what would change it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import access_denials as kept
from accounts import dropped_entries
from accounts.access_denials import KEPT, KEPT_FOR, MOST, Denied, denials
from accounts.common.client_ip import Origin
from accounts.last_used import uses
from accounts.models import Account, Denial, DropCounter, Person, RegistryUser
from namespaces.access import Level
from namespaces.denial_recheck import with_current_decision
from namespaces.models import Grant, Namespace
from registry_sync import tasks
from registry_sync.tokens.throttle import throttle
from tests import factories
from tests.cast import MEMBERS, Cast, client_for
from tests.django.api.caller import Caller, token_of
from tests.django.registry_sync.tokens.test_issuer import ask, claims
from tests.statements import asked_of_the_driver

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    throttle._failures.clear()
    uses.forget()
    denials.forget()


@pytest.fixture
def user(cast: Cast) -> Any:
    """May read team/app, and nothing else."""
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    factories.GrantFactory(user=user, namespace=namespace, level=Level.READ, image_name="app")
    return user


def denied(user: Any, repository: str = "team/app", at: datetime = NOW, **more: Any) -> Denied:
    return Denied(
        user.username, repository, "push", "why", "remedy", Origin("192.0.2.1", "docker/27", at), **more
    )


def rows() -> list[tuple[str, str, int]]:
    return list(Denial.objects.order_by("repository", "action").values_list("repository", "action", "count"))


def test_each_action_that_was_asked_in_vain_is_kept_and_none_that_was_granted(user: Any) -> None:
    ask(user, "repository:team/app:push,pull")
    ask(user, "repository:team/other:pull", "repository:team/app:pull")
    ask(user)
    assert denials.write() == 2
    assert rows() == [("team/app", "push", 1), ("team/other", "pull", 1)]


def test_a_row_answers_who_what_when_from_where_why_and_what_would_change_it(user: Any) -> None:
    before = timezone.now()
    ask(user, "repository:team/app:push")
    denials.write()
    row = Denial.objects.get()
    assert (row.user_id, row.repository, row.action) == (user.pk, "team/app", "push")
    assert before <= row.first_at == row.last_at <= timezone.now()
    assert (row.address, row.client) == ("192.0.2.1", "docker/27.3.1")
    assert row.reason == "push denied: this user has read-only access here"
    assert row.remedy == "Give write on the namespace or on this image."


def test_the_same_again_is_counted_before_and_after_it_is_written(user: Any) -> None:
    for hour, times in ((0, 3), (1, 2)):
        for _time in range(times):
            denials.note(denied(user, at=NOW + timedelta(hours=hour)))
        denials.write()
    row = Denial.objects.get()
    assert (row.count, row.first_at, row.last_at) == (5, NOW, NOW + timedelta(hours=1))


def test_what_is_private_elsewhere_is_told_like_what_is_nowhere(cast: Cast, user: Any) -> None:
    factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    ask(user, "repository:theirs/app:pull", "repository:nowhere/app:pull")
    denials.write()
    told = set(Denial.objects.values_list("reason", "remedy"))
    assert told == {("no such namespace in this account", "Check the name, or create the namespace.")}


@pytest.mark.parametrize("lost", ["disabled_at", "expires_at"])
def test_a_user_that_is_refused_altogether_is_told_why(user: Any, lost: str) -> None:
    RegistryUser.objects.filter(pk=user.pk).update(**{lost: timezone.now()})
    status, body = ask(user, "repository:team/app:pull")
    denials.write()
    row = Denial.objects.get()
    assert status == 401
    assert (row.repository, row.action) == ("", "")
    assert body["errors"][0]["message"].lower() == f"{row.reason}."


def test_a_wrong_password_is_kept_with_its_user_and_a_name_that_nobody_has_is_not(user: Any) -> None:
    for name in (user.username, "nobody000000", "x" * 12, "no\0body", "é" * 4000):
        assert ask(RegistryUser(username=name), password="guess")[0] == 401
    denials.write()
    assert [(row.user_id, row.reason) for row in Denial.objects.all()] == [(user.pk, "wrong password")]


def test_nothing_is_written_while_a_token_is_made(user: Any) -> None:
    with asked_of_the_driver() as statements:
        ask(user, "repository:team/app:push")
    assert [text.split()[0] for text in statements] == ["SELECT"]
    assert not Denial.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_written_is_kept_for_the_next_time(user: Any) -> None:
    def lost(*_arguments: Any) -> None:
        raise OperationalError

    denials.note(denied(user))
    with connection.execute_wrapper(lost):
        assert denials.write() == 0
    denials.note(denied(user))
    assert denials.write() == 1
    assert rows() == [("team/app", "push", 2)]


def test_a_user_that_is_gone_does_not_keep_the_others_from_being_written(user: Any) -> None:
    denials.note(denied(RegistryUser(username="gone00000000")))
    denials.note(denied(user))
    denials.write()
    assert rows() == [("team/app", "push", 1)]


@pytest.mark.parametrize("writes", [1, 3])
def test_memory_and_rows_are_bounded_the_newest_stay_and_the_others_are_counted(
    user: Any, writes: int
) -> None:
    """Whether they were noted between two writes or more."""
    for number in range(300):
        denials.note(denied(user, f"team/{number}", at=NOW + timedelta(seconds=number), account=1))
        if number % (300 // writes) == 0:
            denials.write()
    assert denials.write() <= KEPT
    assert Denial.objects.count() == KEPT
    assert Denial.objects.filter(repository="team/299").exists()
    assert DropCounter.objects.get().count == 300 - KEPT


def test_40_requests_for_100_images_drop_nobody_elses(cast: Cast, user: Any, operator: Person) -> None:
    theirs = factories.RegistryUserFactory(account=cast.elsewhere)
    colleague = factories.RegistryUserFactory(account=cast.account)
    for other in (theirs, colleague):
        ask(other, "repository:team/app:push")
    for request in range(40):
        ask(user, *(f"repository:team/{request}-{number}:push" for number in range(100)))
    denials.write()
    assert Denial.objects.filter(user=theirs).count() == 1
    assert Denial.objects.filter(user=colleague).count() == 1
    assert Denial.objects.filter(user=user).count() == KEPT
    page = cast.client("viewer").get(user.get_absolute_url()).content.decode()
    assert "3,900 more" in page
    told = Caller(token_of(cast.viewer)).get(f"accounts/team-red/users/{user.username}/").json()
    assert told["dropped_denial_count"] == 3900
    assert "not kept" not in cast.client("viewer").get(colleague.get_absolute_url()).content.decode()
    system = client_for(operator).get("/system/").content.decode()
    assert "refusals: 3,900" in system
    (told,) = Caller(token_of(operator)).get("system/").json()["dropped"]
    assert (told["kind"], told["count"]) == ("denials", 3900)


def test_a_flood_of_guessed_names_drops_none_of_a_user_that_signed_in(user: Any) -> None:
    ask(user, "repository:team/app:push")
    for number in range(MOST + 100):
        denials.note(denied(RegistryUser(username=f"u{number:011}"), ""))
    denials.write()
    assert rows() == [("team/app", "push", 1)]
    assert DropCounter.objects.get().username == ""


def test_what_is_long_over_is_not_told_for_ever(user: Any) -> None:
    dropped_entries.note(
        DropCounter.Kind.DENIALS, {user.username: 3}, timezone.now() - dropped_entries.KEPT_FOR
    )
    dropped_entries.note(DropCounter.Kind.USES, {user.username: 3}, timezone.now())
    tasks.housekeeping()
    assert [each.kind for each in DropCounter.objects.all()] == [DropCounter.Kind.USES]


def test_what_is_old_is_forgotten(user: Any) -> None:
    for name, age in (("old", KEPT_FOR + timedelta(hours=1)), ("new", KEPT_FOR - timedelta(hours=1))):
        denials.note(denied(user, f"team/{name}", at=timezone.now() - age))
    denials.write()
    tasks.housekeeping()
    assert rows() == [("team/new", "push", 1)]


@pytest.mark.parametrize("who", MEMBERS)
def test_members_read_it_on_the_users_page_and_on_the_images(cast: Cast, user: Any, who: str) -> None:
    ask(user, "repository:team/app:push")
    denials.write()
    for path in (user.get_absolute_url(), "/a/team-red/n/team/i/app/-/access/"):
        page = cast.client(who).get(path).content.decode()
        assert "push denied: this user has read-only access here" in page
        assert "Give write on the namespace or on this image." in page
        assert "docker/27.3.1" in page


def test_an_image_shows_nothing_that_users_of_other_accounts_tried(cast: Cast, user: Any) -> None:
    theirs = factories.RegistryUserFactory(account=cast.elsewhere)
    ask(theirs, "repository:team/app:pull")
    assert denials.write() == 1
    assert (
        theirs.username not in cast.client("owner").get("/a/team-red/n/team/i/app/-/access/").content.decode()
    )
    page = cast.client("stranger").get(theirs.get_absolute_url()).content.decode()
    assert "no such namespace in this account" in page


def test_the_page_says_that_nothing_was_refused_and_pages_what_was(cast: Cast, user: Any) -> None:
    client = cast.client("viewer")
    assert f"None in the last {KEPT_FOR.days} days." in client.get(user.get_absolute_url()).content.decode()
    for number in range(12):
        denials.note(denied(user, f"team/n{number:02}", at=NOW + timedelta(seconds=number)))
    denials.write()
    first = client.get(user.get_absolute_url())
    rest = client.get(user.get_absolute_url() + first.context["page"].next_url)
    shown = [[row.repository for row in answer.context["page"].rows] for answer in (first, rest)]
    assert shown == [[f"team/n{number:02}" for number in range(11, 1, -1)], ["team/n01", "team/n00"]]


def test_the_api_tells_it_too_and_to_members_alone(cast: Cast, user: Any) -> None:
    ask(user, "repository:team/app:push")
    denials.write()
    path = f"accounts/team-red/users/{user.username}/denials/"
    (row,) = Caller(token_of(cast.viewer)).get(path).json()["results"]
    assert (row["repository"], row["action"], row["denial_count"], row["client_ip"]) == (
        "team/app",
        "push",
        1,
        "192.0.2.1",
    )
    assert row["remedy"] == "Give write on the namespace or on this image."
    assert Caller(token_of(cast.stranger)).get(path).status_code == 404


def test_a_flood_of_names_costs_one_look_up(user: Any, django_assert_num_queries: Any) -> None:
    notes = [denied(RegistryUser(username=f"u{number:011}")) for number in range(MOST)]
    with django_assert_num_queries(1):
        kept._write(notes)


def kept_now() -> list[tuple[str, str, str]]:
    denials.write()
    return sorted(Denial.objects.values_list("repository", "action", "sources"))


def test_layers_that_a_push_may_not_reuse_are_told_with_the_push(cast: Cast, user: Any) -> None:
    """docker asks for more images with each layer that it has from elsewhere; none of it is an act of its own."""
    give(user, Level.WRITE, "own")
    push = "repository:team/own:push,pull"
    ask(user, push, "repository:elsewhere/base:pull")
    denials.write()
    ask(user, push, "repository:team/secret:pull")
    ask(user, push, "repository:team/app:pull")  # it may read that
    assert kept_now() == [("team/own", "mount", "team/secret elsewhere/base")]
    row = Denial.objects.get()
    assert row.count == 2
    assert "the push itself was allowed" in row.reason
    for who in MEMBERS:
        for path in (user.get_absolute_url(), "/a/team-red/n/team/i/own/-/access/"):
            page = cast.client(who).get(path).content.decode()
            assert "the push continued" in page
            assert "layers of team/secret, elsewhere/base" in page
    api = (
        Caller(token_of(cast.viewer))
        .get(f"accounts/team-red/users/{user.username}/denials/")
        .json()["results"][0]
    )
    assert (api["action"], api["mount_sources"]) == ("mount", ["team/secret", "elsewhere/base"])


def test_a_push_that_was_refused_is_one_line_too(user: Any) -> None:
    ask(user, "repository:team/app:push,pull", "repository:elsewhere/base:pull")
    assert kept_now() == [("team/app", "push", "elsewhere/base")]


def test_a_pull_beside_no_push_is_an_act_of_its_own(user: Any) -> None:
    give(user, Level.WRITE, "own")
    ask(user, "repository:elsewhere/base:pull", "repository:team/app:pull")
    ask(user, "repository:team/own:push,pull", "repository:elsewhere/tool:push,pull")
    assert kept_now() == [
        ("elsewhere/base", "pull", ""),
        ("elsewhere/tool", "push", ""),
    ]


@pytest.mark.parametrize("agent", ["oras/1.3.6", "regclient/regsync (v0.11.7)"])
def test_what_copies_and_could_not_read_is_told_so(user: Any, agent: str) -> None:
    """They ask for source and target at once, regsync for all that it ever asked; none of them only tries."""
    give(user, Level.WRITE, "own")
    ask(user, "repository:elsewhere/base:pull", "repository:team/own:pull,push", HTTP_USER_AGENT=agent)
    assert kept_now() == [("elsewhere/base", "pull", "")]


def test_at_most_some_of_the_images_are_kept(user: Any) -> None:
    give(user, Level.WRITE, "own")
    for number in range(kept.SOURCES_MOST * 2):
        ask(user, "repository:team/own:push,pull", f"repository:elsewhere/n{number}:pull")
        if number % 10 == 0:
            denials.write()
    denials.write()
    names = Denial.objects.get().source_names
    assert len(names) == kept.SOURCES_MOST
    assert names[0] == f"elsewhere/n{kept.SOURCES_MOST * 2 - 1}"


@pytest.mark.parametrize(
    ("scope", "name", "reason"),
    [
        ("repository:nginx:push,pull", "nginx", "the name has no namespace"),
        ("repository:team/App:pull", "team/App", "the name has upper-case letters"),
        (f"repository:team/{'a' * 300}:push", f"team/{'a' * 194}…", "the name has more than 200 characters"),
        ("registry:catalog:*", "registry:catalog", "no user may list the whole registry"),
        ("repository:team/\0:pull", "team/\\u0000", "no image can have this name"),
    ],
)
def test_a_name_that_nothing_can_have_is_listed(
    cast: Cast, user: Any, scope: str, name: str, reason: str
) -> None:
    give(user, Level.ADMIN)
    status, body = ask(user, scope, "repository:team/app:pull")
    assert status == 200
    assert [each["name"] for each in claims(body)["access"]] == ["team/app"]
    denials.write()
    row = Denial.objects.get()
    assert (row.repository, row.reason) == (name, reason)
    page = cast.client("viewer").get(user.get_absolute_url()).content.decode()
    assert reason in page
    assert "allowed now" not in page


def test_what_is_allowed_by_now_says_so(cast: Cast, user: Any) -> None:
    ask(user, "repository:team/app:push,delete")
    ask(user, "repository:public/base:pull", "repository:theirs/app:pull")
    give(user, Level.WRITE, "own")
    ask(user, "repository:team/own:push,pull", "repository:team/secret:pull", "repository:theirs/app:pull")
    denials.write()
    assert allowed_now(cast, user) == set()
    give(user, Level.WRITE)
    assert allowed_now(cast, user) == {("team/app", "push")}
    page = cast.client("viewer").get(user.get_absolute_url()).content.decode()
    assert page.count("allowed now") == 1
    assert "Give write on" not in page  # it has been
    assert "Give admin on" in page
    assert "allowed now" in cast.client("viewer").get("/a/team-red/n/team/i/app/-/access/").content.decode()
    # what is private elsewhere stays refused, and what becomes public is not
    theirs = factories.NamespaceFactory(account=cast.elsewhere, name="theirs")
    factories.NamespaceFactory(account=cast.elsewhere, name="public", public=True)
    assert allowed_now(cast, user) == {("team/app", "push"), ("public/base", "pull")}
    theirs.public = True
    theirs.save()
    assert allowed_now(cast, user) == {
        ("team/app", "push"),
        ("public/base", "pull"),
        ("theirs/app", "pull"),
        ("team/own", "mount"),
    }
    Account.objects.filter(pk=cast.elsewhere.pk).update(closed_at=timezone.now())
    assert allowed_now(cast, user) == {("team/app", "push")}
    RegistryUser.objects.filter(pk=user.pk).update(disabled_at=timezone.now())
    assert allowed_now(cast, user) == set()


def test_a_user_that_is_enabled_again_may_sign_in_and_a_wrong_password_stays_wrong(
    cast: Cast, user: Any
) -> None:
    RegistryUser.objects.filter(pk=user.pk).update(disabled_at=timezone.now())
    ask(user)
    denials.write()
    assert allowed_now(cast, user) == set()
    RegistryUser.objects.filter(pk=user.pk).update(disabled_at=None)
    assert allowed_now(cast, user) == {("", "")}
    ask(user, password="guess")
    denials.write()
    assert allowed_now(cast, user) == set()


def test_judging_costs_the_same_however_many_there_are(user: Any, django_assert_num_queries: Any) -> None:
    for number in range(30):
        denials.note(denied(user, f"team/n{number}"))
    denials.write()
    rows = list(Denial.objects.select_related("user__account"))
    with django_assert_num_queries(2):
        with_current_decision(rows)


def allowed_now(cast: Cast, user: Any) -> set[tuple[str, str]]:
    told = Caller(token_of(cast.viewer)).get(f"accounts/team-red/users/{user.username}/denials/").json()
    return {(each["repository"], each["action"]) for each in told["results"] if each["allowed_now"]}


def give(user: Any, level: Level, image: str = "") -> None:
    namespace = Namespace.objects.get(name="team")
    Grant.objects.update_or_create(
        user=user, namespace=namespace, image_name=image, defaults={"level": level}
    )
