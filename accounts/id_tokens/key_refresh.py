"""Fetches the keys of issuers, for the worker: discovery, then the JWKS that it names."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from django.conf import settings

from accounts.common import clock
from accounts.common.errors import DomainError
from accounts.common.json_fields import read_mapping
from accounts.common.lazy_text import lazy as _
from accounts.id_tokens import jwks, keys
from accounts.id_tokens.networks import issuer_networks
from accounts.models import IdTokenIssuer
from accounts.outbound import client

EVERY: Final = timedelta(hours=1)  # of an issuer that a policy trusts: a key that was withdrawn must end
REST_MAX: Final = timedelta(hours=1)  # after many failures
LEASE: Final = timedelta(seconds=30)  # longer than an attempt takes; then another worker tries
AT_ONCE: Final = 8
DISCOVERY: Final = "/.well-known/openid-configuration"

_REDIRECTS: Final = 3  # hundred and more

log = logging.getLogger(__name__)


class FetchFailed(DomainError):
    """No keys came. `message` is a LazyText for people."""


def refresh_due(*, now: datetime) -> int:
    """Fetch what is due, several at the same time. Return how many gave keys."""
    taken = [row for row in keys.due(now).order_by("next_try_at", "id")[:AT_ONCE] if _take(row, now)]
    if not taken:
        return 0
    with ThreadPoolExecutor(max_workers=len(taken)) as pool:  # no thread of it asks the database
        begun = {pool.submit(_outcome, row.url): row for row in taken}
        for done in as_completed(begun):  # a slow issuer holds up nobody's keys
            _keep(begun[done], done.result(), clock.now())
    return sum(isinstance(done.result(), jwks.KeySet) for done in begun)


def fetch(url: str) -> jwks.KeySet:
    """Ask the issuer where its keys are, and for them. Raise FetchFailed."""
    try:
        document = read_mapping(json.loads(_get(url.rstrip("/") + DISCOVERY)))
    except (ValueError, RecursionError):
        raise FetchFailed(_("Its discovery document is not JSON.")) from None
    if document.get("issuer") != url:
        raise FetchFailed(_("Its discovery document names another issuer."))
    address = document.get("jwks_uri")
    if not isinstance(address, str):
        raise FetchFailed(_("Its discovery document does not say where its keys are."))
    try:
        return jwks.read(_get(address))
    except jwks.Unusable as error:
        raise FetchFailed(error.text) from None


def _get(url: str) -> str:
    try:
        answer = client.get(
            url,
            networks=issuer_networks(),
            most_bytes=jwks.MOST_BYTES,
            seconds=settings.ISSUER_ANSWER_SECONDS,
        )
    except client.OutboundError as error:
        raise FetchFailed(error.message) from error
    if answer.status // 100 == _REDIRECTS:
        raise FetchFailed(_("%(url)s leads to another address, which is not followed.", url=url))
    if answer.status != HTTPStatus.OK:
        raise FetchFailed(_("%(url)s answers %(status)s.", url=url, status=str(answer.status)))
    return answer.body.decode("utf-8-sig", "replace")


def _take(row: IdTokenIssuer, now: datetime) -> bool:
    """One worker alone; and an attempt is written down before it is begun."""
    mine = IdTokenIssuer.objects.filter(pk=row.pk, next_try_at=row.next_try_at, tried_at=row.tried_at)
    return bool(mine.update(next_try_at=now + LEASE, tried_at=now))


def _outcome(url: str) -> jwks.KeySet | str:
    """Return its keys, or why there are none. Whatever one issuer answers, it stops no other."""
    try:
        return fetch(url)
    except FetchFailed as error:
        return error.message
    except Exception:
        log.exception("the answer of the issuer %s", url)
        return _("Its answer cannot be used; the log says why.")


def _keep(row: IdTokenIssuer, outcome: jwks.KeySet | str, now: datetime) -> None:
    """Write new keys, or why there are none: those from before go on being used."""
    kept = IdTokenIssuer.objects.filter(pk=row.pk)
    if isinstance(outcome, jwks.KeySet):
        kept.update(jwks=outcome.text, jwks_at=now, problem="", failures=0, next_try_at=now + EVERY)
        return
    failures = min(row.failures + 1, 100)
    rest = min(keys.REST * 2 ** min(failures - 1, 10), REST_MAX)
    kept.update(problem=outcome, failures=failures, next_try_at=now + rest)
    log.warning("no keys of the issuer %s: %s", row.url, outcome)
