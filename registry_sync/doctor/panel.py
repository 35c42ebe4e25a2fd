"""Judges the panel's own parts. PURE."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from registry_sync.doctor.observations import Certificate
from registry_sync.doctor.result import Finding, Fix, fail, in_environment, ok, pending, skipped, warn

# Whoever signs renews the leaf when a third of its 30 days is left; a day later something is wrong.
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
                "There is a connection pooler in front of the database, and the panel is not "
                "configured for it: %(error)s.",
                error=error.rstrip("."),
            ),
            in_environment("DATABASE_POOLER=transaction"),
        )
    if error:
        return fail(
            _("The database does not respond, or is read-only: %(error)s.", error=error),
            in_environment("DATABASE_URL=postgresql://NAME:PASSWORD@HOST/DATABASE"),
        )
    if unapplied:
        return fail(_("Migrations have not been applied (%(n)s): %(first)s.",
                      n=len(unapplied), first=", ".join(unapplied[:3])),
                    Fix(_("Run once, with the panel’s settings:"), "python manage.py migrate"))  # fmt: skip
    return ok(_("The database responds, accepts writes, and all migrations are applied."))


def sign_in_provider(issuer: str, problem: str) -> Finding:
    """`issuer`: "" where people sign in without one. `problem`: why nobody can sign in there, "" where they can."""
    if not issuer:
        return ok(_("People sign in with passwords and passkeys; there is no provider."))
    if problem:
        return fail(
            _("Nobody can sign in at %(issuer)s: %(problem)s", issuer=issuer, problem=problem),
            in_environment("OIDC_ISSUER=https://LOGIN.EXAMPLE.COM"),
        )
    return ok(_("%(issuer)s answers, and names its keys.", issuer=issuer))


def limits(asked: Mapping[str, int], found: Mapping[str, int], role: str) -> Finding:
    """How long a statement may take behind a pooler, in milliseconds; 0 is without end."""
    longer = {name: most for name, most in asked.items() if not 0 < found[name] <= most}
    if not longer:
        return ok(_("The database role has time limits: no statement can block the others for long."))
    first = next(iter(longer))
    return warn(
        _(
            "%(name)s is %(found)s ms, but the panel needs %(asked)s ms. A pooler drops this setting, "
            "so set it on the role.",
            name=first,
            found=found[first],
            asked=asked[first],
        ),
        Fix(
            _("Run in the database as its owner, then restart the pooler:"),
            "\n".join(f'ALTER ROLE "{role}" SET {name} = {most};' for name, most in longer.items()),
        ),
    )


def disk(free: int, folder: str) -> Finding:
    text = _("%(free)s MB are free in %(folder)s.", free=round(free / MB), folder=folder)
    fix = Fix(
        _("Free some space or use a larger disk. To see what takes the most:"),
        f"du -xh -d 2 {folder} | sort -h | tail",
    )
    if free < DISK_FULL:
        return fail(
            _(
                "Only %(free)s MB are free in %(folder)s. When the disk is full, nothing can be saved.",
                **text.values,
            ),
            fix,
        )
    if free < DISK_LOW:
        return warn(text, fix)
    return ok(text)


def broker(error: str, *, redis: bool) -> Finding:
    if not error:
        return ok(_("The queue that wakes the worker accepts messages."))
    fix = (
        in_environment("REDIS_URL=redis://HOST:6379/0")
        if redis
        else Fix(_("DATA_DIR/queue must be writable."))
    )
    return fail(
        _(
            "The queue does not respond (%(error)s). Work starts only when the schedule runs, not at once.",
            error=error,
        ),
        fix,
    )


def worker(at: datetime | None, now: datetime, silent_after: timedelta, *, asked: bool) -> Finding:
    """`asked`: the schedule sends it work; a worker without any is silent and well."""
    fix = Fix(_("Start the worker and keep it running:"), WORKER)
    if at is None:
        return fail(_("No worker has ever run, so nothing is read from the registry."), fix)
    if now - at <= silent_after:
        return ok(_("The worker is running."))
    age = _minutes(now - at)
    if not asked:
        return warn(
            _(
                "The worker’s last heartbeat was %(age)s ago. While the schedule is not running, this "
                "says nothing about the worker.",
                age=age,
            ),
            fix,
        )
    return fail(
        _(
            "The worker’s last heartbeat was %(age)s ago. It has stopped, hangs, or cannot reach its queue.",
            age=age,
        ),
        fix,
    )


def schedule(at: datetime | None, now: datetime, silent_after: timedelta) -> Finding:
    fix = Fix(_("Run the schedule in exactly one process:"), SCHEDULE)
    if at and now - at <= silent_after:
        return ok(_("The schedule is running."))
    if at is None:
        return fail(_("The schedule has never run, so nothing is checked unless somebody requests it."), fix)
    return fail(
        _(
            "The schedule last ran %(age)s ago, so nothing is checked unless somebody requests it.",
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
    fix = Fix(_("To see which part, seal by seal:"), "python manage.py verify_audit_log")
    last = max(filter(None, (changed, unverified, intact)), default=None)
    if not last and (not first_event_at or now - first_event_at < FIRST_NIGHTS):
        return pending(_("Not run yet. The worker verifies the audit log every night."))
    if not last:
        return skipped(_("The audit log was never verified. The worker should do this every night."))
    if last == changed:
        return fail(
            _(
                "On %(day)s the audit log did not match its seals: somebody changed it.",
                day=last.date(),
            ),
            fix,
        )
    if last == unverified:
        return warn(_("Some of the audit log cannot be verified: the pepper that sealed it is gone."), fix)
    return ok(_("The audit log matched its seals on %(day)s.", day=last.date()))


def machine_keys(digests: Mapping[str, str], folder: str) -> Finding:
    """`digests`: of the keys that each machine has, by its name."""
    if not digests:
        return skipped(_("Not checked: the keys of this machine cannot be read."))
    if len(set(digests.values())) == 1:
        return ok(_("Every machine with a worker has the same keys."))
    return fail(
        _(
            "These machines have different keys: %(machines)s. What one signs, another refuses.",
            machines=", ".join(sorted(digests)),
        ),
        Fix(
            _(
                "Copy this folder, all but leaf.pem, from the machine whose keys are right, and restart "
                "web, tokens, worker and scheduler of the other:"
            ),
            folder,
        ),
    )


def backup(at: datetime | None, by: str, *, days: int, due_at: datetime | None, now: datetime) -> Finding:
    """Judge by the last backup, made `at` `by`; None for never. `days`: how old it may be, 0 for whatever age.

    `due_at`: by when the next one is to be made, None where that is not known.
    """
    fix = Fix(
        _("Make one every night, and keep it on another machine:"),
        "python manage.py backup FILE --keys OTHER_FOLDER/FILE",
    )
    if not days:
        return ok(_("Backups are made by other means (BACKUP_DAYS=0)."))
    late = due_at is not None and now > due_at
    if at is None and not late:
        return pending(_("No backup was made yet."))
    if at is None:
        return warn(_("No backup was ever made with manage.py backup."), fix)
    if late:
        return warn(
            ngettext(
                "The last backup was made on %(day)s by %(by)s: that is more than %(n)s day ago.",
                "The last backup was made on %(day)s by %(by)s: that is more than %(n)s days ago.",
                days,
                day=at.date(),
                by=by,
            ),
            fix,
        )
    return ok(_("The last backup was made on %(day)s by %(by)s.", day=at.date(), by=by))


def certificates(leaf: Certificate, authority: Certificate, now: datetime) -> Finding:
    renewal = Fix(
        _("The panel renews it automatically if it can write to that folder. To renew it by hand:"),
        "python manage.py init_data_dir",
    )
    anew = Fix(
        _(
            "Move %(path)s and ca.key away and create new ones. Then give the registry the new ca.crt and restart it:",
            path=authority.path,
        ),
        "python manage.py init_data_dir",
    )
    if authority.ends <= now:
        return fail(
            _(
                "The certificate authority expired on %(ends)s: the registry accepts no token.",
                ends=authority.ends.date(),
            ),
            anew,
        )
    if leaf.ends <= now:
        return fail(
            _(
                "The certificate that signs tokens expired on %(ends)s: the registry accepts no token.",
                ends=leaf.ends.date(),
            ),
            renewal,
        )
    if authority.ends - now < CA_SOON:
        return warn(_("The certificate authority expires on %(ends)s.", ends=authority.ends.date()), anew)
    if leaf.ends - now < LEAF_LATE:
        return warn(
            _(
                "The certificate that signs tokens expires on %(ends)s and was not renewed.",
                ends=leaf.ends.date(),
            ),
            renewal,
        )
    return ok(
        _(
            "The certificate that signs tokens is valid until %(ends)s. It is renewed automatically.",
            ends=leaf.ends.date(),
        )
    )


def _minutes(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"  # noqa: PLR2004
