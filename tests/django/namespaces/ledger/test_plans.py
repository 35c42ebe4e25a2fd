"""What pages ask of the access ledger is answered by indexes, on each database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.common.pagination import paginate
from namespaces import selectors
from namespaces.ledger import breakage, shrinking
from namespaces.ledger.uses import uses_of
from namespaces.models import Grant, LedgerEntry, LedgerTotal, Namespace
from tests import factories, plans
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
USERS, IMAGES = 40, 50


@pytest.fixture
def grant(cast: Cast) -> Any:
    """One of many: each user has its own namespace and images."""
    grants = [
        factories.GrantFactory(user__account=cast.account, created_at=NOON - timedelta(days=900))
        for _number in range(USERS)
    ]
    common = {"action": "pull", "count": 1, "first_at": NOON, "last_at": NOON}
    for model, more in ((LedgerTotal, {}), (LedgerEntry, {"day": NOON.date()})):
        model.objects.bulk_create(  # type: ignore[attr-defined]
            model(
                account=cast.account, user=grant.user, namespace=grant.namespace, image_name=f"i{number}",
                **common, **more,
            )
            for grant in grants
            for number in range(IMAGES)
        )  # fmt: skip
    plans.analyze()
    return grants[0]


def ask(what: str, grant: Grant, account: Any) -> None:
    user, namespace = grant.user, Namespace.objects.get(pk=grant.namespace_id)
    match what:
        case "private":
            breakage.of_private(namespace)
        case "remove":
            breakage.of_removed_grants(account, [grant])
        case "disable":
            breakage.of_blocked_user(user)
        case "uses":
            assert len(paginate(uses_of(user)).rows) == IMAGES
        case "smallest":
            shrinking.propose(user)
        case "unused":
            list(selectors.grants_in(account, username=user.username, state="idle"))


@pytest.mark.parametrize("what", ["private", "remove", "disable", "uses", "smallest", "unused"])
def test_no_question_reads_all_of_the_ledger(cast: Cast, grant: Grant, what: str) -> None:
    with plans.explained("namespaces_ledger") as asked:
        ask(what, grant, cast.account)
    assert asked
    for plan in asked:
        assert not any(plans.reads_all(plan, f"namespaces_ledger{each}") for each in ("total", "entry")), plan
