"""What a change would break is what it breaks: the replay beside the token door, after the change was really made."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Account, RegistryUser
from accounts.services import accounts, users
from namespaces.access import Action, Level, UserStatus, decide
from namespaces.ledger import breakage
from namespaces.ledger.replay import AccessChange
from namespaces.models import Grant, LedgerTotal, Namespace
from namespaces.services import grants, namespaces
from registry_sync.tokens import queries
from tests import factories, statements
from tests.cast import Cast, just_signed_in, principal_of
from tests.django.registry_sync.inventory.properties import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IMAGES = ["api", "web"]
STATES = ["active", "disabled", "expired"]


def entry(user: RegistryUser | None, namespace: Namespace, action: str = "pull", **more: Any) -> LedgerTotal:
    given = {"image_name": "api", "count": 1, "last_at": NOON, "confirmed_count": 0} | more
    last = given["last_at"]
    made: LedgerTotal = LedgerTotal.objects.create(
        user=user, account=user.account if user else namespace.account, namespace=namespace, action=action,
        first_at=last, confirmed_at=last if given["confirmed_count"] else None, **given,
    )  # fmt: skip
    return made


class World:
    """Two accounts: the first has two users and two namespaces, the second one of each."""

    def __init__(self, draw: Any) -> None:
        self.ours, theirs = (
            Account.objects.create(name=name, handle=name, closed_at=closed)
            for name, closed in (("ours", None), ("theirs", timezone.now() if draw(st.booleans()) else None))
        )
        self.users = [self._user(draw, self.ours), self._user(draw, self.ours), self._user(draw, theirs)]
        self.namespaces = [
            Namespace.objects.create(account=account, name=name, public=draw(st.booleans()))
            for account, name in ((self.ours, "one"), (self.ours, "two"), (theirs, "three"))
        ]
        places = [
            (user, namespace, image)
            for user in self.users
            for namespace in self.namespaces
            if user.account == namespace.account
            for image in ("", "api")
        ]
        for user, namespace, image in draw(st.lists(st.sampled_from(places), unique=True)):
            Grant.objects.create(
                user=user, namespace=namespace, image_name=image, level=draw(st.sampled_from([1, 2, 3])),
                expires_at=draw(st.sampled_from([None, NOON, timezone.now() + timedelta(days=9)])),
            )  # fmt: skip
        self.asked = [
            (user, f"{namespace.name}/{image}", action)
            for user in (*self.users, None)
            for namespace in self.namespaces
            for image in IMAGES
            for action in Action
        ]

    @staticmethod
    def _user(draw: Any, account: Account) -> Any:
        state, now = draw(st.sampled_from(STATES)), timezone.now()
        return factories.RegistryUserFactory(
            account=account,
            disabled_at=now if state == "disabled" else None,
            expires_at=now - timedelta(days=1) if state == "expired" else None,
        )

    def allowed(self, at: datetime) -> set[tuple[int | None, str, Action]]:
        """Return what the token door allows at that moment."""
        found: set[tuple[int | None, str, Action]] = set()
        for user in (*self.users, None):
            repositories = sorted({name for _user, name, _action in self.asked})
            caller = self._caller(user, repositories, at)
            if caller and not (caller.user and caller.user.user_status is not UserStatus.ACTIVE):
                found |= {
                    (user.pk if user else None, name, action)
                    for name in repositories
                    for action in Action
                    if decide(caller.contexts[name], action)
                }
        return found

    @staticmethod
    def _caller(user: Any, repositories: list[str], at: datetime) -> queries.Caller | None:
        if user is None:
            return queries.load_anonymous(repositories=repositories)
        digests = list(user.secrets.values_list("digest", flat=True))
        return queries.load_caller(digests=digests, repositories=repositories, now=at)


class Properties(TestCase):
    @given(data=st.data())
    @settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
    def test_the_refused_set_of_the_replay_is_that_of_the_token_door(self, data: Any) -> None:
        world = World(data.draw)
        at = timezone.now() + timedelta(days=data.draw(st.sampled_from([1, 12])))
        before = world.allowed(at)
        rows = {row.name: row for row in world.namespaces}
        for user, name, action in world.asked:
            namespace, _slash, image = name.partition("/")
            entry(user, rows[namespace], action.value, image_name=image)
        ours = [user for user in world.users if user.account == world.ours]
        given_ = list(Grant.objects.filter(namespace__account=world.ours))
        changed = data.draw(st.lists(st.sampled_from(given_), unique=True)) if given_ else []
        levels = {grant: Level(data.draw(st.sampled_from([0, 1, 2, 3]))) for grant in changed}
        blocked = data.draw(st.lists(st.sampled_from(ours), unique=True))
        private = data.draw(st.lists(st.sampled_from(world.namespaces[:2]), unique=True))
        deleted = data.draw(st.lists(st.sampled_from(world.namespaces[:2]), unique=True))
        live = {grant: level for grant, level in levels.items() if grant.is_live(at)}
        closed = data.draw(st.sampled_from([False, False, True]))
        others = [grant for grant in given_ if grant not in levels]
        ending = [grant for grant in others if breakage.is_earlier(at, grant.expires_at)]
        ending = data.draw(st.lists(st.sampled_from(ending), unique=True)) if ending else []
        expiring = [user for user in ours if breakage.is_earlier(at, user.expires_at)]
        expiring = data.draw(st.lists(st.sampled_from(expiring), unique=True)) if expiring else []
        change = AccessChange(
            levels={breakage.key_of(grant): level for grant, level in live.items()}
            | {breakage.key_of(grant): Level.NONE for grant in ending},
            users=frozenset(user.pk for user in [*blocked, *expiring]),
            private=frozenset(row.pk for row in private),
            deleted=frozenset(row.pk for row in deleted),
            closed=frozenset({world.ours.pk} if closed else ()),
        )
        told = breakage.lost_by(change, at=at)
        found = {
            (use.user, f"{told.names[use.namespace]}/{use.image_name}", use.action) for use in told.refused
        }

        by = principal_of(factories.PersonFactory())
        for grant, level in levels.items():
            if level:
                grants.change(by=by, grant=grant, level=level.word, expires_at=grant.expires_at)
            else:
                grants.remove(by=by, grant=grant)
        for grant in ending:
            grants.change(by=by, grant=grant, level=grant.word, expires_at=at)
        for user in expiring:
            users.edit(by=by, user=user, description=user.description, expires_at=at)
        for user in blocked:
            RegistryUser.objects.filter(pk=user.pk).update(disabled_at=timezone.now())
        for row in private:
            namespaces.set_public(by=by, namespace=row, public=False)
        for row in deleted:
            row.delete()
        if closed:
            accounts.close(by=by, account=world.ours, confirmation=world.ours.handle)
        assert found == before - world.allowed(at)


@pytest.fixture
def team(cast: Cast) -> Any:
    """A public namespace, with "CI deploy", who may write to it."""
    namespace = factories.NamespaceFactory(account=cast.account, name="team", public=True)
    user = factories.RegistryUserFactory(account=cast.account, description="CI deploy")
    factories.GrantFactory(user=user, namespace=namespace, level=Level.WRITE)
    return namespace


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.django_db
def test_a_question_names_who_would_be_refused_the_confirmed_first(cast: Cast, team: Namespace) -> None:
    ci, stranger = Grant.objects.get().user, factories.RegistryUserFactory(description="Their secret plan")
    entry(ci, team, "pull", confirmed_count=812)
    entry(ci, team, "push", image_name="web", count=4)
    entry(None, team, confirmed_count=3, last_at=NOON - timedelta(days=1))
    entry(factories.RegistryUserFactory(account=stranger.account), team)
    entry(stranger, team)
    broken = breakage.of_private(team)
    assert [(line.user, line.anonymous, line.callers) for line in broken.listed] == [
        (None, True, 1), (None, False, 2),
    ]  # fmt: skip
    assert (broken.callers, broken.refused, broken.confirmed, broken.rest) == (4, 3, 1, 0)
    page = text_of(cast.client("manager").get("/a/team-red/n/team/publish/"))
    assert "3 of 4 callers of the last 60 days would be refused." in page
    assert "1 of them really pulled or pushed" in page
    assert "anonymous callers: 3 pulls (team/api)" in page
    assert "2 users of other accounts: 2 tokens, no pull or push seen" in page
    assert "Their secret plan" not in page
    assert stranger.username not in page


@pytest.mark.django_db
def test_a_permission_that_is_removed_says_what_it_gave(cast: Cast, team: Namespace, settings: Any) -> None:
    Namespace.objects.update(public=False)
    grant, client = Grant.objects.get(), cast.client("owner")
    entry(grant.user, team, confirmed_count=812)
    entry(grant.user, team, "push", image_name="web", confirmed_count=1)
    entry(grant.user, team, "delete", image_name="c")
    for name in "de":
        entry(grant.user, team, image_name=name)
    page = text_of(client.get(f"/a/team-red/grants/{grant.pk}/remove/"))
    assert "Requests that were allowed in the last 60 days would be refused:" in page
    assert "CI deploy</u></a>: 812 pulls, 1 push (team/" in page
    assert "and 1 more)" in page
    assert "only requested tokens" not in page
    private = "/a/team-red/n/team/publish/"
    settings.ACCESS_LEDGER_DAYS = 1
    page = text_of(client.get(f"/a/team-red/grants/{grant.pk}/remove/"))
    assert "Requests that were allowed in the last 1 day would be refused:" in page
    settings.ACCESS_LEDGER_DAYS = 60
    assert "The 1 caller of the last 60 days would lose nothing." in text_of(client.get(private))
    entry(None, team)  # refused already, so it is not "still allowed"
    assert "The 2 callers of the last 60 days would lose nothing." in text_of(client.get(private))


@pytest.mark.django_db
@pytest.mark.parametrize(("kept", "last"), [(60, "60 days"), (1, "1 day")])
def test_without_requests_nothing_is_said_to_break(
    cast: Cast, team: Namespace, settings: Any, kept: int, last: str
) -> None:
    settings.ACCESS_LEDGER_DAYS = kept
    page = text_of(cast.client("owner").get(f"/a/team-red/users/{Grant.objects.get().user}/disable/"))
    assert f"No access was recorded here in the last {last}." in page


@pytest.mark.django_db
def test_lower_levels_are_asked_for_when_they_break_something(cast: Cast, team: Namespace) -> None:
    grant, client = Grant.objects.get(), cast.client("owner")
    entry(grant.user, team, "push", confirmed_count=2)
    form = {f"level-{grant.pk}-write": "read", "next": "/a/team-red/n/team/permissions/"}
    asked = client.post("/a/team-red/grants/levels/", form)
    assert asked.status_code == 200
    assert "CI deploy</u></a>: 2 pushes (team/api)" in text_of(asked)
    assert Grant.objects.get().level == Level.WRITE
    question = asked.context["question"]
    done = client.post(question.act, question.fields)
    assert (done.status_code, done["Location"]) == (302, form["next"])
    assert Grant.objects.get().level == Level.READ


@pytest.mark.django_db
def test_a_level_that_breaks_nothing_is_saved_at_once(cast: Cast, team: Namespace) -> None:
    grant, client = Grant.objects.get(), cast.client("owner")
    entry(grant.user, team, "pull", confirmed_count=2)
    client.post("/a/team-red/grants/levels/", {f"level-{grant.pk}-write": "read"})
    assert Grant.objects.get().level == Level.READ
    assert client.post("/a/team-red/grants/levels/", {f"level-{grant.pk}-read": "none"}).status_code == 400


@pytest.mark.django_db
def test_one_permission_is_changed_after_the_question(cast: Cast, team: Namespace) -> None:
    grant, client = Grant.objects.get(), cast.client("owner")
    entry(grant.user, team, "push")
    asked = client.post(f"/a/team-red/grants/{grant.pk}/", {"level": "read", "expiry": ""})
    question = asked.context["question"]
    assert "none of them pulled or pushed" in text_of(asked)
    assert client.post(question.act, question.fields).status_code == 302
    assert Grant.objects.get().level == Level.READ


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["user", "namespace"])
def test_a_deletion_asks_again_when_it_breaks_something(cast: Cast, team: Namespace, what: str) -> None:
    user, client = Grant.objects.get().user, cast.client("owner")
    entry(user, team, confirmed_count=5)
    page, name, model = {
        "user": (f"/a/team-red/users/{user}/delete/", user.username, RegistryUser),
        "namespace": ("/a/team-red/n/team/delete/", "team", Namespace),
    }[what]
    assert client.post(page, {"confirm": "another"}).status_code == 400
    asked = client.post(page, {"confirm": name})
    assert "CI deploy</u></a>: 5 pulls (team/api)" in text_of(asked)
    assert model.objects.count() == 1  # type: ignore[attr-defined]
    assert client.post(page, asked.context["question"].fields).status_code == 302
    assert not model.objects.exists()  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_many_callers_are_counted_in_few_statements(cast: Cast, team: Namespace) -> None:
    Namespace.objects.update(public=False)
    for number in range(25):
        grant = factories.GrantFactory(
            user__account=cast.account, namespace=team, user__description=f"Robot {number}"
        )
        entry(grant.user, team, confirmed_count=1, last_at=NOON + timedelta(minutes=number))
    with statements.counted() as asked:
        broken = breakage.of_deleted(team)
    assert len(asked) <= 4
    assert (len(broken.listed), broken.rest, broken.refused) == (20, 5, 25)
    assert broken.listed[0].user
    assert broken.listed[0].user.description == "Robot 24"
    answer = cast.client("owner").post("/a/team-red/n/team/delete/", {"confirm": "team"})
    assert "and 5 more callers" in text_of(answer)


@pytest.mark.django_db
def test_an_end_that_comes_earlier_is_asked_for(cast: Cast, team: Namespace) -> None:
    Namespace.objects.update(public=False)
    grant, client = Grant.objects.get(), cast.client("owner")
    entry(grant.user, team, "push", confirmed_count=2)
    page, form = (
        f"/a/team-red/grants/{grant.pk}/",
        {"level": "write", "expiry": "date", "expires_on": "2030-05-04"},
    )
    asked = client.post(page, form)
    assert "From 5 May 2030 on, requests that were allowed in the last 60 days would be" in text_of(asked)
    assert Grant.objects.get().expires_at is None
    question = asked.context["question"]
    assert client.post(question.act, question.fields).status_code == 302
    assert Grant.objects.get().expires_at == datetime(2030, 5, 5, tzinfo=UTC)
    assert client.post(page, form | {"expires_on": "2031-05-04"}).status_code == 302


@pytest.mark.django_db
def test_a_lower_level_and_an_earlier_end_are_asked_for_together(cast: Cast, team: Namespace) -> None:
    grant, client = Grant.objects.get(), cast.client("owner")
    entry(grant.user, team, "push")
    other = factories.GrantFactory(user__account=cast.account, namespace=team)
    entry(other.user, team)
    asked = client.post(f"/a/team-red/grants/{grant.pk}/", {"level": "read", "expiry": "7"})
    assert text_of(asked).count("What would break") == 2
    question = asked.context["question"]
    assert client.post(question.act, question.fields).status_code == 302
    assert Grant.objects.get(pk=grant.pk).level == Level.READ


@pytest.mark.django_db
def test_an_expiry_that_comes_earlier_is_asked_for(cast: Cast, team: Namespace) -> None:
    user, client = Grant.objects.get().user, cast.client("owner")
    RegistryUser.objects.update(expires_at=None)
    entry(user, team, confirmed_count=5)
    page, form = (
        f"/a/team-red/users/{user}/edit/",
        {"description": "CI", "expiry": "date", "expires_on": "2030-05-04"},
    )
    asked = client.post(page, form)
    assert "From 5 May 2030 on, requests that" in text_of(asked)
    assert RegistryUser.objects.get().expires_at is None
    question = asked.context["question"]
    assert client.post(question.act, question.fields).status_code == 302
    assert RegistryUser.objects.get().expires_at == datetime(2030, 5, 5, tzinfo=UTC)
    assert client.post(page, form | {"expires_on": "2031-05-04"}).status_code == 302


@pytest.mark.django_db
def test_what_has_ended_by_then_breaks_nothing(cast: Cast, team: Namespace) -> None:
    Namespace.objects.update(public=False)
    user = Grant.objects.get().user
    entry(user, team)
    now = timezone.now()
    RegistryUser.objects.update(expires_at=now + timedelta(days=5))
    grant = Grant.objects.get()
    assert breakage.of_ended_grant(grant, now + timedelta(days=4)).refused == 1
    assert breakage.of_ended_grant(grant, now + timedelta(days=6)).refused == 0


@pytest.mark.django_db
def test_closing_an_account_asks_when_it_breaks_something(cast: Cast, team: Namespace) -> None:
    user, client = Grant.objects.get().user, just_signed_in(cast.client("owner"))
    page = "/a/team-red/settings/close/"
    entry(user, team, confirmed_count=5)
    entry(factories.RegistryUserFactory(), team)
    assert client.post(page, {"confirm": "another"}).status_code == 400
    assert cast.client("manager").post(page, {"confirm": "team-red"}).status_code == 403
    asked = client.post(page, {"confirm": "team-red"})
    assert "2 of 2 callers of the last 60 days would be refused." in text_of(asked)
    assert "CI deploy</u></a>: 5 pulls (team/api)" in text_of(asked)
    assert not Account.objects.filter(handle="team-red").exclude(closed_at=None).exists()
    assert client.post(page, asked.context["question"].fields).status_code == 302
    assert Account.objects.filter(handle="team-red").exclude(closed_at=None).exists()
