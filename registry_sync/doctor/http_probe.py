"""Asks the registry and the public addresses, and says plainly what came."""

import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings

from namespaces.media_types import DOCKER_SCHEMA1
from namespaces.models import RepositoryManifest
from registry_sync import doctor
from registry_sync.client import (
    CATALOG,
    RegistryClient,
    RegistryError,
    Schema1Unsupported,
    TemporaryFailure,
    responses,
)
from registry_sync.doctor.observations import Answer, PanelSettings, Schema1Images, TokenProbe, VersionAnswers
from registry_sync.doctor.probe_tokens import ProbeTokens, issuers, stranger
from registry_sync.models import Repository

_BODY_MAX = 64 * 1024
_NAMED_MAX = 20
NAMED = "(schema 1)"  # in the reason why one could not be read


def ask(
    registry: RegistryClient, path: str, *, token: str = "", method: str = "GET", body: bool = False
) -> Answer:
    """Never raises: no answer is a fact too. `body`: its beginning must come as well, else `error` says why not."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked_at, begun = datetime.now(UTC), time.monotonic()
    try:
        with registry.ask(path, headers, method=method) as response:
            answer = _answer(response, asked_at, time.monotonic() - begun)
            broke = _broke(response) if body and answer.status == responses.OK else ""
            return replace(answer, error=broke)
    except TemporaryFailure as error:
        return Answer(error=type(error.__cause__).__name__, asked_at=asked_at)


def fetch(registry: RegistryClient, path: str, headers: dict[str, str]) -> tuple[Answer, bytes]:
    """As `ask`, with headers of one's own, and with what came of the body; `error` also names DNS."""
    asked_at, begun = datetime.now(UTC), time.monotonic()
    try:
        with registry.ask(path, headers) as response:
            answer = _answer(response, asked_at, time.monotonic() - begun)
            return answer, b"" if answer.codes else _beginning(response)
    except TemporaryFailure as error:
        cause = error.__cause__
        name = "NameResolutionError" if "NameResolutionError" in repr(cause) else type(cause).__name__
        return Answer(error=name, asked_at=asked_at, seconds=time.monotonic() - begun), b""


def try_tokens(registry: RegistryClient, service: str, panel_settings: PanelSettings) -> TokenProbe:
    """Which of our tokens it takes, judged by /v2/, for which any good token will do."""

    def takes(token: str) -> bool:
        return ask(registry, "/v2/", token=token).status == responses.OK

    with stranger() as other:
        anybody = takes(ProbeTokens(service, panel_settings.issuer).sign([], by=other))
    good = (issuer for issuer in issuers(panel_settings) if takes(ProbeTokens(service, issuer).sign([])))
    return TokenProbe(next(good, ""), anybody)


def delete_nothing(registry: RegistryClient, tokens: ProbeTokens) -> Answer:
    """Ask for the deletion of a digest that never was."""
    path = f"/v2/{doctor.REPOSITORY}/manifests/sha256:{secrets.token_hex(32)}"
    return ask(registry, path, token=tokens(doctor.REPOSITORY, "delete"), method="DELETE")


def versions(registry: RegistryClient, tokens: ProbeTokens) -> VersionAnswers:
    """Ask for what the releases of Distribution refuse differently. It leaves what `begin_upload` leaves."""
    token = tokens(doctor.REPOSITORY)
    return VersionAnswers(
        digest=ask(registry, f"/v2/{doctor.REPOSITORY}/manifests/sha256:x", token=token),
        page=ask(registry, f"/v2/{doctor.REPOSITORY}/tags/list?n=-1", token=token),
        upload=begin_upload(registry, tokens),
    )


def old_form(registry: RegistryClient) -> Schema1Images:
    """As the inventory knows them; one of them is asked for, to see whether the registry reads such still."""
    stored = RepositoryManifest.objects.filter(manifest__media_type__startswith=DOCKER_SCHEMA1, gone_at=None)
    stored = stored.select_related("image__namespace").order_by("id")
    unreadable = Repository.objects.filter(problem__contains=NAMED).order_by("name")
    rows, names = list(stored[:_NAMED_MAX]), list(unreadable.values_list("name", flat=True)[:_NAMED_MAX])
    read = not names
    if rows:
        try:
            registry.manifest(rows[0].image.repository, rows[0].manifest_id)
        except Schema1Unsupported:
            read = False
        except RegistryError:
            pass  # gone, or no answer: other checks say so
    shown = [f"{row.image.repository}@{row.manifest_id}" for row in rows] + names
    return Schema1Images(stored.count() + unreadable.count(), tuple(shown[:_NAMED_MAX]), read)


def upstream(registry: RegistryClient) -> bool | None:
    """Whether what is behind a pull-through cache answers; None where nobody knows a repository to ask about."""
    if not settings.REGISTRY_IS_PULL_THROUGH_CACHE:
        return None
    names = list(Repository.objects.filter(missing_since=None).values_list("name", flat=True))
    return registry.upstream_answers(names) if names else None


def events_door(panel_settings: PanelSettings, agent: str) -> Answer:
    """Bring nothing, and no key, to where the registry brings its events."""
    url = urlsplit(panel_settings.events_url)
    panel = RegistryClient(f"{url.scheme}://{url.netloc}", lambda *_scope: "", agent=agent)
    try:
        return ask(panel, url.path, method="POST")
    finally:
        panel.close()


def catalog(registry: RegistryClient, tokens: ProbeTokens) -> Answer:
    return ask(registry, f"/v2/_catalog?n={responses.CATALOG_PAGE}", token=tokens(CATALOG))


def begin_upload(registry: RegistryClient, tokens: ProbeTokens) -> Answer:
    """Begin a push and call it off: only where the registry sends a client on to is of interest.

    Distribution keeps a few bytes of hash state of what was called off, until its upload purging takes them.
    """
    path = f"/v2/{doctor.REPOSITORY}/blobs/uploads/"
    upload = ask(registry, path, token=tokens(doctor.REPOSITORY, "pull", "push"), method="POST")
    if upload.location:
        target = urlsplit(urljoin(registry.url + path, upload.location))
        ask(
            registry,
            f"{target.path}?{target.query}",
            token=tokens(doctor.REPOSITORY, "delete"),
            method="DELETE",
        )
    return upload


def _answer(response: requests.Response, asked_at: datetime, seconds: float) -> Answer:
    return Answer(
        status=response.status_code,
        challenge=response.headers.get("WWW-Authenticate", ""),
        location=response.headers.get("Location", ""),
        date=_date(response.headers.get("Date", "")),
        asked_at=asked_at,
        seconds=seconds,
        codes=frozenset(responses.error_codes(_start(response))),
    )


def _start(response: requests.Response) -> bytes:
    try:
        return next(response.iter_content(_BODY_MAX), b"") if response.status_code >= 400 else b""  # noqa: PLR2004
    except (requests.RequestException, OSError):
        return b""


def _beginning(response: requests.Response) -> bytes:
    found = b""
    try:
        for part in response.iter_content(_BODY_MAX):
            found += part
            if len(found) >= _BODY_MAX:
                break
    except (requests.RequestException, OSError):
        return b""
    return found


def _broke(response: requests.Response) -> str:
    try:
        next(response.iter_content(_BODY_MAX), b"")
    except (requests.RequestException, OSError) as error:
        return type(error).__name__
    return ""


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # "-0000" says that it is UTC, and no zone
