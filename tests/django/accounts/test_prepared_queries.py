"""Querysets that are compiled once find what they found anew."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F, QuerySet

from accounts.common.prepared_queries import LONGEST_LIST, prepared
from accounts.models import RegistryUser
from tests import factories, statements

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _build(*, account: int, names: list[str], since: datetime) -> QuerySet[RegistryUser]:
    found = RegistryUser.objects.filter(account=account, username__in=names, last_used_at__gte=since)
    return found.select_related("account").annotate(handle=F("account__handle")).order_by("username")


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 1, 2, 3, LONGEST_LIST - 1, LONGEST_LIST, LONGEST_LIST + 1])
def test_it_finds_what_the_queryset_finds(count: int) -> None:
    account = factories.AccountFactory()
    users = factories.RegistryUserFactory.create_batch(count + 1, account=account, last_used_at=NOON)
    factories.RegistryUserFactory(username="elsewhere", last_used_at=NOON)
    names = [user.username for user in users[:count]] + ["elsewhere"] * bool(count)
    rows = prepared(_build)

    for _run in range(2):
        for since in (NOON, NOON + timedelta(microseconds=1)):
            found = rows(account=account.pk, names=names, since=since)
            assert found == list(_build(account=account.pk, names=names, since=since))
            assert len(found) == (count if since == NOON else 0)
            assert all(user.account == account and user.handle == account.handle for user in found)  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_it_builds_once_for_each_size_and_asks_once_each_time() -> None:
    built = []

    @prepared
    def rows(*, names: list[str]) -> QuerySet[RegistryUser, str]:
        built.append(len(names))
        return RegistryUser.objects.filter(username__in=names).values_list("username", flat=True)

    user = factories.RegistryUserFactory()
    for names in ([user.username], ["a", user.username, "b"], ["a", "b", "c", user.username]):
        for _run in range(2):
            with statements.counted() as asked:
                assert rows(names=names) == [user.username]
            assert len(asked) == 1
    assert built == [1, 4]


@pytest.mark.django_db
def test_an_empty_list_asks_nothing() -> None:
    with statements.counted() as asked:
        assert prepared(_build)(account=1, names=[], since=NOON) == []
    assert asked == []


@pytest.mark.django_db(transaction=True)
def test_each_thread_has_its_own() -> None:
    user = factories.RegistryUserFactory(last_used_at=NOON)
    rows = prepared(_build)

    def ask(_number: int) -> list[RegistryUser]:
        try:
            return rows(account=user.account_id, names=[user.username], since=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [[user]] * 8


@pytest.mark.django_db
def test_what_django_would_take_for_a_value_is_refused() -> None:
    @prepared
    def rows(*, accounts: list[int]) -> QuerySet[RegistryUser]:
        return RegistryUser.objects.filter(account__in=accounts)

    with pytest.raises(TypeError):
        rows(accounts=[1])


@pytest.mark.django_db
def test_what_is_chosen_and_which_values_are_given_decide_what_is_built() -> None:
    @prepared
    def users(order: str, **columns: str) -> QuerySet[RegistryUser]:
        return RegistryUser.objects.filter(**columns).order_by(order)

    first, second = (factories.RegistryUserFactory(username=name, description="d") for name in ("a1", "b2"))
    assert users("username", description="d") == [first, second]
    assert users("-username", description="d") == [second, first]
    assert users("-username", username="a1") == [first]
    assert users("username", username="b2", description="d") == [second]


@pytest.mark.django_db
def test_a_statement_may_list_the_first_rows_and_knows_their_order() -> None:
    @prepared
    def users(*, description: str) -> QuerySet[RegistryUser]:
        return RegistryUser.objects.filter(description=description).order_by("-created_at", "-id")

    made = factories.RegistryUserFactory.create_batch(3, description="d")
    statement = users.statement(2, description="d")
    assert statement.rows({"description": "d"}) == made[:0:-1]
    assert statement.order == ["-created_at", "-id"]
