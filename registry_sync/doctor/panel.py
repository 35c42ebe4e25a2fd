"""Judges the panel's own parts. PURE."""

from datetime import datetime, timedelta

from registry_sync.doctor.facts import Certificate
from registry_sync.doctor.verdict import Fix, Verdict, fail, in_environment, ok, warn

# The worker renews the leaf when a third of its 30 days is left; a day later something is wrong.
LEAF_LATE = timedelta(days=9)
CA_SOON = timedelta(days=180)
MB = 1_000_000
DISK_LOW, DISK_FULL = 1000 * MB, 100 * MB
WORKER = "celery -A manager worker"
SCHEDULE = "celery -A manager beat"


def database(error: str, unapplied: list[str]) -> Verdict:
    if error:
        return fail(f"The database does not answer, or takes no changes: {error}.",
                    in_environment("DATABASE_URL=postgresql://NAME:PASSWORD@HOST/DATABASE"))  # fmt: skip
    if unapplied:
        return fail(f"{len(unapplied)} changes of the tables are missing: {', '.join(unapplied[:3])}.",
                    Fix("Once, with the settings of the panel:", "python manage.py migrate"))  # fmt: skip
    return ok("The database answers and takes changes, and its tables are up to date.")


def disk(free: int, folder: str) -> Verdict:
    text = f"{free / MB:,.0f} MB are free in {folder}"
    fix = Fix(
        "Make room there, or give it a larger disk; what takes the most:",
        f"du -xh -d 2 {folder} | sort -h | tail",
    )
    if free < DISK_FULL:
        return fail(f"Only {text}: soon nothing can be saved.", fix)
    if free < DISK_LOW:
        return warn(f"{text}.", fix)
    return ok(f"{text}.")


def broker(error: str, *, redis: bool) -> Verdict:
    if not error:
        return ok("The queue that wakes the worker takes messages.")
    fix = (
        in_environment("REDIS_URL=redis://HOST:6379/0") if redis else Fix("DATA_DIR/queue must be writable.")
    )
    return fail(
        f"The queue does not answer ({error}): work waits for the schedule, and nothing is woken at once.",
        fix,
    )


def worker(at: datetime | None, now: datetime, silent_after: timedelta, *, asked: bool) -> Verdict:
    """`asked`: the schedule sends it work; a worker without any is silent and well."""
    fix = Fix("Start the worker, and keep it running:", WORKER)
    if at is None:
        return fail("No worker has ever worked: nothing is read from the registry.", fix)
    if now - at <= silent_after:
        return ok("The worker works.")
    text = f"The worker's last sign of life is {_minutes(now - at)} old"
    if not asked:
        return warn(f"{text}; while the schedule is silent that says nothing about the worker itself.", fix)
    return fail(f"{text}: it has ended, hangs, or its queue does not reach it.", fix)


def schedule(at: datetime | None, now: datetime, silent_after: timedelta) -> Verdict:
    fix = Fix("Exactly one process must keep the schedule:", SCHEDULE)
    if at and now - at <= silent_after:
        return ok("The schedule runs.")
    text = "The schedule has never run" if at is None else f"The schedule last ran {_minutes(now - at)} ago"
    return fail(f"{text}: nothing is checked unless somebody asks.", fix)


def certificates(leaf: Certificate, authority: Certificate, now: datetime) -> Verdict:
    renewal = Fix(
        "The worker renews it each hour if it can write there; by hand:", "python manage.py prepare"
    )
    anew = Fix(
        f"Move {authority.path} and ca.key away, make new ones, give the registry the new ca.crt and restart it:",
        "python manage.py prepare",
    )
    if authority.ends <= now:
        return fail(f"The signing authority ended on {authority.ends:%d %b %Y}: no token is good.", anew)
    if leaf.ends <= now:
        return fail(
            f"The certificate that signs tokens ended on {leaf.ends:%d %b %Y}: no token is good.", renewal
        )
    if authority.ends - now < CA_SOON:
        return warn(f"The signing authority ends on {authority.ends:%d %b %Y}.", anew)
    if leaf.ends - now < LEAF_LATE:
        return warn(
            f"The certificate that signs tokens ends on {leaf.ends:%d %b %Y} and was not renewed.", renewal
        )
    return ok(f"Tokens can be signed until {leaf.ends:%d %b %Y}, and this is renewed in time.")


def _minutes(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"  # noqa: PLR2004
