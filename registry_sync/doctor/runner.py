"""All checks, in the order in which one depends on the other."""

import logging
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from accounts.common.lazy_text import lazy as _
from accounts.common.secret_files import SecretFileError
from registry_sync.client import RegistryClient, responses
from registry_sync.doctor import addresses, event_probe, http_probe, local, pull_probe, pull_result, versions
from registry_sync.doctor import registry as judge
from registry_sync.doctor.observations import Answer, PanelSettings
from registry_sync.doctor.probe_tokens import ProbeTokens
from registry_sync.doctor.result import Finding, Result, State, fail, skipped

log = logging.getLogger(__name__)

TITLES = {
    "database": _("Database"),
    "limits": _("Time limits"),
    "broker": _("Queue"),
    "disk": _("Disk"),
    "schedule": _("Schedule"),
    "worker": _("Worker"),
    "audit_log": _("Audit log"),
    "backup": _("Backup"),
    "certificates": _("Certificates"),
    "machine_keys": _("Keys of all machines"),
    "addresses": _("Addresses"),
    "sign_in_provider": _("Sign-in provider"),
    "panel": _("Panel, as clients reach it"),
    "registry": _("Registry"),
    "challenge": _("Token authentication"),
    "realm": _("Token address (realm)"),
    "service": _("Service name"),
    "token": _("Token signature"),
    "clock": _("Clocks"),
    "version": _("Version"),
    "deletion": _("Deletion"),
    "catalog": _("Catalog"),
    "upstream": _("Upstream of a cache"),
    "old_form": _("Schema 1 images"),
    "events": _("Events"),
    "front": _("Registry, as clients reach it"),
    "pull": _("Pull, as a client"),
}

WITHOUT_DATABASE = _("Not checked: it needs the database.")
BY_TOKEN = (
    "version",
    "deletion",
    "catalog",
    "upstream",
    "old_form",
    "events",
    "pull",
)  # what cannot be looked at without a token that is taken
BY_CHALLENGE = ("realm", "service", "token", *BY_TOKEN, "front")


def run_checks(now: datetime) -> Iterator[Result]:
    """Yield a result for each of TITLES, as they come."""
    panel_settings = local.panel_settings()
    works = yield from _one("database", local.database)
    if works:
        yield from _one("limits", local.limits)
        yield from _one("schedule", lambda: local.schedule(now))
        yield from _one("worker", lambda: local.worker(now))
        yield from _one("audit_log", lambda: local.audit_log(now))
        yield from _one("backup", lambda: local.backup(now))
    else:
        yield from _skip(WITHOUT_DATABASE, "limits", "schedule", "worker", "audit_log", "backup")
    yield from _one("broker", local.broker)
    yield from _one("disk", local.disk)
    signs = yield from _one("certificates", lambda: local.certificates(now))
    if works:
        yield from _one("machine_keys", lambda: local.machine_keys(now))
    else:
        yield from _skip(WITHOUT_DATABASE, "machine_keys")
    yield from _one("addresses", lambda: addresses.form(panel_settings, production=settings.PRODUCTION))
    yield from _one("sign_in_provider", local.sign_in_provider)
    yield from _one("panel", lambda: _panel(panel_settings))
    yield from _registry(panel_settings, signs=signs, works=works)


def _registry(panel_settings: PanelSettings, *, signs: bool, works: bool) -> Iterator[Result]:
    plain = RegistryClient(panel_settings.registry_url, _no_token, agent=event_probe.agent())
    try:
        answer = http_probe.ask(plain, "/v2/")
        if not (yield from _one("registry", lambda: judge.reachable(answer, panel_settings))):
            yield from _skip(
                _("Not checked: the registry does not respond."), "clock", "challenge", *BY_CHALLENGE
            )
            return
        yield from _one("clock", lambda: judge.clock(answer))
        if not (yield from _one("challenge", lambda: judge.challenge(answer, panel_settings))):
            yield from _skip(
                _("Not checked: the registry does not ask for the panel’s tokens."), *BY_CHALLENGE
            )
            return
        yield from _one("realm", lambda: judge.realm(answer, panel_settings))
        yield from _one("service", lambda: judge.service(answer, panel_settings))
        yield from _with_tokens(plain, answer, panel_settings, signs=signs, works=works)
    finally:
        plain.close()


def _with_tokens(
    plain: RegistryClient, answer: Answer, panel_settings: PanelSettings, *, signs: bool, works: bool
) -> Iterator[Result]:
    if not signs:
        yield from _skip(_("Not checked: the panel cannot sign tokens."), "token", *BY_TOKEN)
        yield from _one("front", lambda: _front(panel_settings, None))
        return
    service = answer.parameters.get("service", "")
    trial = http_probe.try_tokens(plain, service, panel_settings)
    yield from _one("token", lambda: judge.token(trial, panel_settings))
    if not trial.issuer:
        yield from _skip(_("Not checked: the registry rejects the panel’s tokens."), *BY_TOKEN)
        yield from _one("front", lambda: _front(panel_settings, None))
        return
    tokens = ProbeTokens(service, trial.issuer)
    registry = RegistryClient(panel_settings.registry_url, tokens, agent=plain.agent)
    try:
        yield from _one("version", lambda: versions.version(http_probe.versions(registry, tokens)))
        yield from _one(
            "deletion", lambda: judge.deletion(http_probe.delete_nothing(registry, tokens), panel_settings)
        )
        yield from _one("catalog", lambda: judge.catalog(http_probe.catalog(registry, tokens)))
        fresh = False
        if works:
            fresh = yield from _one(
                "upstream",
                lambda: judge.upstream(answers=http_probe.upstream(registry), panel_settings=panel_settings),
            )
            yield from _one("old_form", lambda: judge.old_form(http_probe.old_form(registry), panel_settings))
            yield from _one("events", lambda: _events(registry, panel_settings))
        else:
            yield from _skip(WITHOUT_DATABASE, "upstream", "old_form", "events", "pull")
        yield from _one("front", lambda: _front(panel_settings, tokens))
        if works and not fresh:
            yield from _skip(_("Not checked: the registry behind the cache does not respond."), "pull")
        elif works:
            yield from _one("pull", lambda: _pull(panel_settings, tokens, plain.agent))
    finally:
        registry.close()


def _panel(panel_settings: PanelSettings) -> Finding:
    public, realm = RegistryClient(panel_settings.public_url, _no_token), urlsplit(panel_settings.realm)
    tokens = RegistryClient(f"{realm.scheme}://{realm.netloc}", _no_token)
    try:
        http_probe.ask(public, "/healthz")  # a process that was just started is slow once
        health = http_probe.ask(public, "/healthz")
        return addresses.panel(
            health, http_probe.ask(tokens, f"{realm.path}?service={panel_settings.service}"), panel_settings
        )
    finally:
        public.close()
        tokens.close()


def _events(registry: RegistryClient, panel_settings: PanelSettings) -> Finding:
    def location() -> str:
        return http_probe.events_door(panel_settings, registry.agent).location

    return judge.events(event_probe.try_events(registry, location), panel_settings)


def _front(panel_settings: PanelSettings, tokens: ProbeTokens | None) -> Finding:
    """At the address that people type."""
    for base in _fronts(panel_settings):
        front = RegistryClient(base, _no_token)
        try:
            answer = http_probe.ask(front, "/v2/")
            if answer.status:
                upload = http_probe.begin_upload(front, tokens) if tokens else None
                return addresses.registry(base, answer, upload, panel_settings)
        finally:
            front.close()
    return addresses.registry(base, answer, None, panel_settings)


def _pull(panel_settings: PanelSettings, tokens: ProbeTokens, agent: str) -> Finding:
    """As from outside, or where that does not answer from here, from the registry itself."""
    for base in (*_fronts(panel_settings), panel_settings.registry_url):
        front = RegistryClient(base, tokens, agent=agent)
        try:
            if http_probe.ask(front, "/v2/").status == responses.UNAUTHORIZED:
                return pull_result.pull(pull_probe.newest(front), panel_settings)
        finally:
            front.close()
    return pull_result.pull(None, panel_settings)


def _fronts(panel_settings: PanelSettings) -> list[str]:
    """By the panel's own scheme first, since both are best behind one proxy."""
    schemes = dict.fromkeys((urlsplit(panel_settings.public_url).scheme, "https"))
    return [f"{scheme}://{panel_settings.registry_host}" for scheme in schemes]


def _no_token(_scope: str, *_actions: str) -> str:
    raise AssertionError("asked without a token")


def _one(key: str, check: Callable[[], Finding]) -> Generator[Result, None, bool]:
    """Yield the result, and return whether what builds on it makes sense.

    A check that breaks has failed, and the others go on.
    """
    try:
        finding = check()
    except SecretFileError as error:
        finding = fail(str(error))
    except Exception as error:
        log.exception("the check %s broke", key)
        finding = fail(_("The check itself failed (%(error)s). See the log.", error=type(error).__name__))
    yield Result(key, TITLES[key], finding)
    return finding.state is not State.FAIL


def _skip(why: str, *keys: str) -> Iterator[Result]:
    for key in keys:
        yield Result(key, TITLES[key], skipped(why))
