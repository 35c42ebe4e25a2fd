"""Judges which Distribution it is: no release says so, but each refuses something differently. PURE."""

from accounts.common.lazy_text import lazy as _
from registry_sync.doctor.observations import Answer, VersionAnswers
from registry_sync.doctor.result import Finding, Fix, ok, skipped, warn

_BAD_REQUEST, _NOT_ALLOWED, _BROKEN = 400, 405, 500
GOOD = "3.1.2"


def version(seen: VersionAnswers) -> Finding:
    cache = _refused(seen.upload, _NOT_ALLOWED, "UNSUPPORTED")  # a read-only registry says so without a code
    fix = Fix(_("Where the registry runs, take %(version)s or newer; then restart it:", version=GOOD),
              f"image: registry:{GOOD}")  # fmt: skip
    if _refused(seen.digest, _BAD_REQUEST, "DIGEST_INVALID"):
        return ok(_("It is Distribution %(version)s or newer.", version=GOOD))
    if not _refused(seen.digest, _BROKEN, "UNKNOWN"):
        return skipped(_("Which version it is cannot be seen."))
    if cache:
        return warn(
            _("It is a pull-through cache of before %(version)s: it does not compare what another registry sends with "
              "the digest that was asked for, so whoever speaks for that registry can put anything in its place.",
              version=GOOD),
            fix,
        )  # fmt: skip
    if _refused(seen.page, _BAD_REQUEST, "PAGINATION_NUMBER_INVALID"):
        return warn(
            _("It is Distribution 3.0 to 3.1.1. On S3, 3.1.0 and 3.1.1 leave names out of their lists: the tag 0.1.2 "
              "beside 0.1.20, a repository whose name begins another’s. The panel keeps those it knows; others never "
              "show."),
            fix,
        )  # fmt: skip
    return ok(_("It is Distribution 2.8."))


def _refused(answer: Answer, status: int, code: str) -> bool:
    return answer.status == status and code in answer.codes
