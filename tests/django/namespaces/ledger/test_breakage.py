"""What a change would break is what it breaks: the replay beside the token door, after the change was really made."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Account, RegistryUser
from namespaces.access import Action, Level, UserStatus, decide
from namespaces.ledger import breakage
from namespaces.ledger.replay import AccessChange, GrantKey
from namespaces.models import Grant, LedgerTotal, Namespace
from namespaces.services import grants, namespaces
from registry_sync.tokens import queries
from tests import factories
from tests.cast import principal_of
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

    def allowed(self) -> set[tuple[int | None, str, Action]]:
        """Return what the token door allows."""
        found: set[tuple[int | None, str, Action]] = set()
        for user in (*self.users, None):
            repositories = sorted({name for _user, name, _action in self.asked})
            caller = self._caller(user, repositories)
            if caller and not (caller.user and caller.user.user_status is not UserStatus.ACTIVE):
                found |= {
                    (user.pk if user else None, name, action)
                    for name in repositories
                    for action in Action
                    if decide(caller.contexts[name], action)
                }
        return found

    @staticmethod
    def _caller(user: Any, repositories: list[str]) -> queries.Caller | None:
        if user is None:
            return queries.load_anonymous(repositories=repositories)
        digests = list(user.secrets.values_list("digest", flat=True))
        return queries.load_caller(digests=digests, repositories=repositories, now=timezone.now())


class Properties(TestCase):
    @given(data=st.data())
    @settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
    def test_the_refused_set_of_the_replay_is_that_of_the_token_door(self, data: Any) -> None:
        world = World(data.draw)
        before = world.allowed()
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
        live = {grant: level for grant, level in levels.items() if grant.is_live(timezone.now())}
        change = AccessChange(
            levels={GrantKey(g.user_id, g.namespace_id, g.image_name): level for g, level in live.items()},
            users=frozenset(user.pk for user in blocked),
            private=frozenset(row.pk for row in private),
            deleted=frozenset(row.pk for row in deleted),
        )
        told = breakage.lost_by(change)
        found = {
            (use.user, f"{told.names[use.namespace]}/{use.image_name}", use.action) for use in told.refused
        }

        by = principal_of(factories.PersonFactory())
        for grant, level in levels.items():
            if level:
                grants.change(by=by, grant=grant, level=level.word, expires_at=grant.expires_at)
            else:
                grants.remove(by=by, grant=grant)
        for user in blocked:
            RegistryUser.objects.filter(pk=user.pk).update(disabled_at=timezone.now())
        for row in private:
            namespaces.set_public(by=by, namespace=row, public=False)
        for row in deleted:
            row.delete()
        assert found == before - world.allowed()
