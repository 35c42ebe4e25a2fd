"""What counts as expiring soon, everywhere. PURE."""

from datetime import datetime, timedelta

EXPIRES_SOON = timedelta(days=30)


def expires_soon(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now < moment <= now + EXPIRES_SOON
