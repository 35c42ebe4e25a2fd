"""Judges which Distribution it is: no release says so, but each refuses something differently. PURE."""

from accounts.common.lazy_text import lazy as _
from registry_sync.doctor.observations import Answer, VersionAnswers
from registry_sync.doctor.result import Finding, Fix, ok, skipped, warn

_BAD_REQUEST, _NOT_ALLOWED, _BROKEN = 400, 405, 500
GOOD = "3.1.2"


def version(seen: VersionAnswers) -> Finding:
    cache = _refused(seen.upload, _NOT_ALLOWED, "UNSUPPORTED")  # a read-only registry says so without a code
    fix = Fix(_("Upgrade the registry to %(version)s or newer:", version=GOOD),
              f"image: registry:{GOOD}")  # fmt: skip
    if _refused(seen.digest, _BAD_REQUEST, "DIGEST_INVALID"):
        return ok(_("It is Distribution %(version)s or newer.", version=GOOD))
    if not _refused(seen.digest, _BROKEN, "UNKNOWN"):
        return skipped(_("Its version could not be detected."))
    if cache:
        return warn(
            _("It is a pull-through cache older than %(version)s. It does not verify digests of what "
              "its upstream sends, so whoever controls the upstream can replace any image.",
              version=GOOD),
            fix,
        )  # fmt: skip
    if _refused(seen.page, _BAD_REQUEST, "PAGINATION_NUMBER_INVALID"):
        return warn(
            _("It is Distribution 3.0 to 3.1.1. On S3, 3.1.0 and 3.1.1 omit names that are the "
              "beginning of another name, such as the tag 0.1.2 next to 0.1.20. The panel keeps the "
              "ones it knows; others never appear."),
            fix,
        )  # fmt: skip
    return ok(_("It is Distribution 2.8."))


def _refused(answer: Answer, status: int, code: str) -> bool:
    return answer.status == status and code in answer.codes
