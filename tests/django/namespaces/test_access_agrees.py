"""Token door, matrix, access check, who may, pages and API give one answer, whatever the facts are."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings as configuration
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.access_denials import denials
from accounts.common.client_ip import Origin
from accounts.last_used import uses
from accounts.models import RegistryUser
from namespaces import access_check, access_matrix, selectors
from namespaces.access import REQUIRED_LEVEL, Action, Level
from namespaces.access_matrix import Matrix, MatrixQuery
from namespaces.models import Namespace
from registry_sync.tokens.issuer import issue_token
from registry_sync.tokens.request import Credentials, TokenError, TokenRequest
from tests import cast as casts
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import Caller, token_of
from tests.django.registry_sync.inventory.properties import examples

REPOSITORIES = ["own/app", "own/new", "own/app/below", "theirs/app", "missing/app"]
ENDS = st.sampled_from([None, timedelta(days=-1), timedelta(seconds=-1), timedelta(hours=1)])
GRANT = st.none() | st.tuples(st.sampled_from([1, 2, 3]), ENDS)


@dataclass(frozen=True)
class Facts:
    """`whole`, `image` and `other`: grants on own, own/app and own/other."""

    state: str
    closed: bool
    suspended: bool
    public: bool
    theirs_public: bool
    theirs_closed: bool
    theirs_suspended: bool
    whole: tuple[int, timedelta | None] | None
    image: tuple[int, timedelta | None] | None
    other: tuple[int, timedelta | None] | None


FACTS = st.builds(
    Facts,
    state=st.sampled_from(["active", "active", "active", "disabled", "expired", "expires later"]),
    closed=st.sampled_from([False, False, False, True]),
    suspended=st.sampled_from([False, False, False, True]),
    public=st.booleans(),
    theirs_public=st.booleans(),
    theirs_closed=st.booleans(),
    theirs_suspended=st.sampled_from([False, False, False, True]),
    whole=GRANT,
    image=GRANT,
    other=GRANT,
)


@dataclass
class World:
    cast: Cast
    user: RegistryUser
    own: Namespace
    now: datetime

    @classmethod
    def of(cls, facts: Facts) -> "World":
        cast, now = casts.make(), timezone.now()
        states = {
            "disabled": {"disabled_at": now},
            "expired": {"expires_at": now - timedelta(seconds=1)},
            "expires later": {"expires_at": now + timedelta(hours=1)},
        }
        user = factories.RegistryUserFactory(account=cast.account, **states.get(facts.state, {}))
        own = factories.NamespaceFactory(account=cast.account, name="own", public=facts.public)
        factories.NamespaceFactory(account=cast.elsewhere, name="theirs", public=facts.theirs_public)
        for image_name, given_ in (("", facts.whole), ("app", facts.image), ("other", facts.other)):
            if given_:
                level, ends = given_
                factories.GrantFactory(
                    user=user,
                    namespace=own,
                    image_name=image_name,
                    level=level,
                    expires_at=None if ends is None else now + ends,
                )
        for account, closed, suspended in (
            (cast.account, facts.closed, facts.suspended),
            (cast.elsewhere, facts.theirs_closed, facts.theirs_suspended),
        ):
            account.closed_at = now if closed else None
            account.suspended_at = now if suspended else None
            account.save()
        return cls(cast, user, own, now)

    def token(self, user: RegistryUser | None) -> dict[str, list[str]]:
        """Repository → the actions that a token holds, with a real password and by the door's own statement."""
        request = TokenRequest(
            services=frozenset({configuration.TOKEN_SERVICE}),
            scopes=tuple(f"repository:{name}:pull,push,delete" for name in REPOSITORIES),
            credentials=Credentials(user.username, user.password) if user else None,  # type: ignore[attr-defined]
            oauth=False,
        )
        try:
            issued = issue_token(request, origin=Origin("192.0.2.1", "docker/27.3.1", timezone.now()))
        except TokenError:  # of a blocked user
            return {}
        return {entry["name"]: entry["actions"] for entry in issued.access}


def actions_at(level: Level) -> list[str]:
    return [action.value for action in Action if level >= REQUIRED_LEVEL[action]]


def cells(matrix: Matrix, user: RegistryUser | None) -> dict[str, Level]:
    """Image name, "" for the whole namespace → level; nothing for a row that is not there."""
    for row in matrix.rows:
        if row.user == user:
            return {
                column.image_name: cell.level for column, cell in zip(matrix.columns, row.cells, strict=True)
            }
    return {}


ADMIN = Facts("active", False, False, False, True, False, False, (3, None), None, None)
EXPIRED, DISABLED = replace(ADMIN, state="expired"), replace(ADMIN, state="disabled", public=True)
SUSPENDED = replace(ADMIN, suspended=True, public=True)
ENDED = replace(ADMIN, whole=(3, timedelta(seconds=-1)), image=(1, None), theirs_closed=True)


class AccessAgrees(TestCase):
    def setup_example(self) -> None:
        super().setup_example()
        uses.forget()
        denials.forget()

    @example(ADMIN, "own/app", Action.DELETE, True)
    @example(EXPIRED, "own/app", Action.DELETE, True)
    @example(DISABLED, "own/app", Action.PULL, True)
    @example(SUSPENDED, "own/app", Action.PULL, True)
    @example(SUSPENDED, "own/app", Action.PULL, False)
    @example(replace(ADMIN, theirs_suspended=True), "theirs/app", Action.PULL, False)
    @example(ENDED, "theirs/app", Action.PULL, False)
    @given(
        facts=FACTS,
        repository=st.sampled_from(REPOSITORIES),
        action=st.sampled_from(Action),
        signed_in=st.booleans(),
    )
    @settings(
        max_examples=examples(60),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def test_they_agree(self, facts: Facts, repository: str, action: Action, signed_in: bool) -> None:
        world = World.of(facts)
        tokens = {user: world.token(user) for user in (world.user, None)}
        if facts.closed:
            assert tokens[world.user] == {}
            path = f"access/check/?user={world.user.username}&action={action}&repository={repository}"
            assert world.cast.client("owner").get(f"/a/team-red/{path}").status_code == 404
            assert Caller(token_of(world.cast.owner)).get(f"accounts/team-red/{path}").status_code == 404
            return
        for user, token in tokens.items():
            self._check_and_lists(world, user, token)
            self._matrix(world, user, token)
        self._by_http(world, tokens, world.user if signed_in else None, repository, action)

    def _check_and_lists(self, world: World, user: RegistryUser | None, token: dict[str, list[str]]) -> None:
        account = world.cast.account
        for repository in REPOSITORIES:
            for action in Action:
                expected = action.value in token.get(repository, [])
                answer = access_check.check(account, user=user, action=action, repository=repository)
                assert bool(answer.verdict) is expected, (repository, action, answer)
                assert [each.value for each in answer.allowed_actions] == token.get(repository, [])
                found = access_check.who_may(account, action=action, repository=repository)
                listed = [each.user for each in found.users]
                if user is None:
                    assert bool(found.everyone.verdict) is expected
                elif user in listed or not found.everyone.verdict:
                    assert (user in listed) is expected
                assert all(each.verdict for each in found.users)

    def _matrix(self, world: World, user: RegistryUser | None, token: dict[str, list[str]]) -> None:
        account = world.cast.account
        whole = cells(access_matrix.of_account(account, MatrixQuery()), user)
        opened = cells(access_matrix.of_namespace(world.own, MatrixQuery(opened="own")), user)
        if user is None and not (world.own.public and not account.suspended_at):
            assert whole == opened == {}
            return
        assert actions_at(whole[""]) == token.get("own/new", [])
        assert whole[""] == opened[""]
        assert actions_at(opened.get("app", opened[""])) == token.get("own/app", [])
        if user:
            (row,) = selectors.effective_access(world.own, "app", [user])
            assert actions_at(row.verdict.level) == token.get("own/app", [])

    def _by_http(
        self,
        world: World,
        tokens: dict[RegistryUser | None, dict[str, list[str]]],
        user: RegistryUser | None,
        repository: str,
        action: Action,
    ) -> None:
        expected = action.value in tokens[user].get(repository, [])
        name = user.username if user else ""
        path = f"access/check/?user={name}&action={action}&repository={repository}"
        body = Caller(token_of(world.cast.owner)).get(f"accounts/team-red/{path}").json()
        assert (body["allowed"], body["allowed_actions"]) == (expected, tokens[user].get(repository, []))
        page = world.cast.client("viewer").get(f"/a/team-red/{path}")
        assert bool(page.context["verdict"]) is expected
        assert ("may not" in page.text) is not expected
