from datetime import UTC, datetime, timedelta

from accounts.common.expiring import EXPIRES_SOON, expires_soon

NOW = datetime(2026, 5, 4, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


def test_soon_begins_thirty_days_before_and_ends_with_it() -> None:
    assert expires_soon(NOW + MOMENT, NOW)
    assert expires_soon(NOW + EXPIRES_SOON, NOW)
    assert not expires_soon(NOW + EXPIRES_SOON + MOMENT, NOW)
    assert not expires_soon(NOW, NOW)
    assert not expires_soon(None, NOW)
