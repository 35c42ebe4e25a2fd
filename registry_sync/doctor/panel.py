"""Judges the panel's own parts. PURE."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from accounts.common.lazy_text import lazy as _
from registry_sync.doctor.observations import Certificate
from registry_sync.doctor.result import Finding, Fix, fail, in_environment, ok, pending, skipped, warn

# The worker renews the leaf when a third of its 30 days is left; a day later something is wrong.
LEAF_LATE = timedelta(days=9)
CA_SOON = timedelta(days=180)
FIRST_NIGHTS = timedelta(days=2)  # until then nobody wonders that the nightly check was not run
MB = 1_000_000
DISK_LOW, DISK_FULL = 1000 * MB, 100 * MB
WORKER = "celery -A manager worker"
SCHEDULE = "celery -A manager beat"


def database(error: str, unapplied: list[str], *, unknown_pooler: bool = False) -> Finding:
    if unknown_pooler:
        return fail(
            _(
                "A connection pooler that the panel was not told of stands before the database: %(error)s.",
                error=error.rstrip("."),
            ),
            in_environment("DATABASE_POOLER=transaction"),
        )
    if error:
        return fail(
            _("The database does not answer, or takes no changes: %(error)s.", error=error),
            in_environment("DATABASE_URL=postgresql://NAME:PASSWORD@HOST/DATABASE"),
        )
    if unapplied:
        return fail(_("Changes of the tables are missing (%(n)s): %(first)s.",
                      n=len(unapplied), first=", ".join(unapplied[:3])),
                    Fix(_("Once, with the settings of the panel:"), "python manage.py migrate"))  # fmt: skip
    return ok(_("The database answers and takes changes, and its tables are up to date."))


def limits(asked: Mapping[str, int], found: Mapping[str, int], role: str) -> Finding:
    """How long a statement may take behind a pooler, in milliseconds; 0 is without end."""
    longer = {name: most for name, most in asked.items() if not 0 < found[name] <= most}
    if not longer:
        return ok(_("The role has them: no statement can keep the others waiting for long."))
    first = next(iter(longer))
    return warn(
        _(
            "%(name)s is %(found)s ms, and the panel asks for %(asked)s ms: a pooler drops that, so the role "
            "must have it.",
            name=first,
            found=found[first],
            asked=asked[first],
        ),
        Fix(
            _("In the database, as its owner; then restart the pooler:"),
            "\n".join(f'ALTER ROLE "{role}" SET {name} = {most};' for name, most in longer.items()),
        ),
    )


def disk(free: int, folder: str) -> Finding:
    text = _("%(free)s MB are free in %(folder)s.", free=f"{free / MB:,.0f}", folder=folder)
    fix = Fix(
        _("Make room there, or give it a larger disk; what takes the most:"),
        f"du -xh -d 2 {folder} | sort -h | tail",
    )
    if free < DISK_FULL:
        return fail(
            _("Only %(free)s MB are free in %(folder)s: soon nothing can be saved.", **text.values), fix
        )
    if free < DISK_LOW:
        return warn(text, fix)
    return ok(text)


def broker(error: str, *, redis: bool) -> Finding:
    if not error:
        return ok(_("The queue that wakes the worker takes messages."))
    fix = (
        in_environment("REDIS_URL=redis://HOST:6379/0")
        if redis
        else Fix(_("DATA_DIR/queue must be writable."))
    )
    return fail(
        _(
            "The queue does not answer (%(error)s): work waits for the schedule, and "
            "nothing is woken at once.",
            error=error,
        ),
        fix,
    )


def worker(at: datetime | None, now: datetime, silent_after: timedelta, *, asked: bool) -> Finding:
    """`asked`: the schedule sends it work; a worker without any is silent and well."""
    fix = Fix(_("Start the worker, and keep it running:"), WORKER)
    if at is None:
        return fail(_("No worker has ever worked: nothing is read from the registry."), fix)
    if now - at <= silent_after:
        return ok(_("The worker works."))
    age = _minutes(now - at)
    if not asked:
        return warn(
            _(
                "The worker’s last heartbeat is %(age)s old; while the schedule is "
                "silent that says nothing about the worker itself.",
                age=age,
            ),
            fix,
        )
    return fail(
        _(
            "The worker’s last heartbeat is %(age)s old: it has ended, hangs, or its "
            "queue does not reach it.",
            age=age,
        ),
        fix,
    )


def schedule(at: datetime | None, now: datetime, silent_after: timedelta) -> Finding:
    fix = Fix(_("Exactly one process must keep the schedule:"), SCHEDULE)
    if at and now - at <= silent_after:
        return ok(_("The schedule runs."))
    if at is None:
        return fail(_("The schedule has never run: nothing is checked unless somebody asks."), fix)
    return fail(
        _(
            "The schedule last ran %(age)s ago: nothing is checked unless somebody asks.",
            age=_minutes(now - at),
        ),
        fix,
    )


def audit_log(
    changed: datetime | None,
    unverified: datetime | None,
    intact: datetime | None,
    *,
    first_event_at: datetime | None,
    now: datetime,
) -> Finding:
    """Judge by when the nightly check last found it `changed`, `unverified` or `intact`."""
    fix = Fix(_("What of it, seal by seal:"), "python manage.py verify_audit_log")
    last = max(filter(None, (changed, unverified, intact)), default=None)
    if not last and (not first_event_at or now - first_event_at < FIRST_NIGHTS):
        return pending(_("Not run yet: the worker verifies the audit log each night."))
    if not last:
        return skipped(_("The audit log was never verified, though the worker should do so each night."))
    if last == changed:
        return fail(
            _(
                "On %(day)s the audit log was not as it was sealed: somebody changed it.",
                day=f"{last:%Y-%m-%d}",
            ),
            fix,
        )
    if last == unverified:
        return warn(_("Some of the audit log cannot be verified: the pepper that sealed it is gone."), fix)
    return ok(_("On %(day)s the audit log was as it was sealed.", day=f"{last:%Y-%m-%d}"))


def certificates(leaf: Certificate, authority: Certificate, now: datetime) -> Finding:
    renewal = Fix(
        _("The worker renews it each hour if it can write there; by hand:"), "python manage.py init_data_dir"
    )
    anew = Fix(
        _(
            "Move %(path)s and ca.key away, make new ones, give the registry the new ca.crt and restart it:",
            path=authority.path,
        ),
        "python manage.py init_data_dir",
    )
    if authority.ends <= now:
        return fail(
            _(
                "The signing authority ended on %(ends)s: no token is good.",
                ends=f"{authority.ends:%Y-%m-%d}",
            ),
            anew,
        )
    if leaf.ends <= now:
        return fail(
            _(
                "The certificate that signs tokens ended on %(ends)s: no token is good.",
                ends=f"{leaf.ends:%Y-%m-%d}",
            ),
            renewal,
        )
    if authority.ends - now < CA_SOON:
        return warn(_("The signing authority ends on %(ends)s.", ends=f"{authority.ends:%Y-%m-%d}"), anew)
    if leaf.ends - now < LEAF_LATE:
        return warn(
            _(
                "The certificate that signs tokens ends on %(ends)s and was not renewed.",
                ends=f"{leaf.ends:%Y-%m-%d}",
            ),
            renewal,
        )
    return ok(
        _("Tokens can be signed until %(ends)s, and this is renewed in time.", ends=f"{leaf.ends:%Y-%m-%d}")
    )


def _minutes(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"  # noqa: PLR2004
