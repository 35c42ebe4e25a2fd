"""Two processes that write the access ledger at once lose nothing, and do not wait for each other crosswise."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.db.models import Sum

from namespaces.ledger import forgetting, writer
from namespaces.ledger.entries import Use
from namespaces.models import LedgerEntry, LedgerTotal
from tests import factories

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROUNDS = 10


@pytest.mark.django_db(transaction=True)
def test_counts_of_several_writers_add_up() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer")
    grants = factories.GrantFactory.create_batch(3)
    pairs = [(grant.user.username, grant.namespace.name) for grant in grants]
    writer._rooms.forget()

    def write(number: int) -> None:
        in_order = pairs if number % 2 else pairs[::-1]
        try:
            for turn in range(ROUNDS):
                at = NOON + timedelta(days=turn % 2)
                network = frozenset({f"10.0.{number}.0/24", f"10.1.{number}.0/24"})
                with transaction.atomic():
                    writer.write(
                        Use(user, 1, f"{space}/api", action, 1, 1, at, at, network, "10.0.0.1", "docker")
                        for user, space in in_order
                        for action in ("pull", "push")
                    )
                if turn % 3 == 0:
                    forgetting._count_anew(list(LedgerTotal.objects.values_list("pk", flat=True)))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, number) for number in range(4)]:
            done.result()
    for model in (LedgerEntry, LedgerTotal):
        totals = model._default_manager.aggregate(Sum("count"), Sum("confirmed_count"))
        assert set(totals.values()) == {4 * ROUNDS * 6}
    assert {len(row.network_list) for row in LedgerTotal.objects.all()} == {8}
