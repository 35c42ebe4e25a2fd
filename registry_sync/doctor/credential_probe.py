"""Tries a username and password as a client does: at the addresses that people type, and nowhere else."""

import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from accounts.common.lazy_text import lazy as _
from registry_sync.client import RegistryClient, RegistryError, Timing, responses
from registry_sync.doctor import credential_steps as judge
from registry_sync.doctor.credential_steps import Step
from registry_sync.doctor.http_probe import fetch
from registry_sync.doctor.observations import Answer, PanelSettings

AGENT: Final = "registry-manager-test"
REPOSITORIES_MAX: Final = 10
TOTAL: Final = 20  # seconds; what would begin later is left out
TIMING: Final = Timing(connect=3, read=4)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A repository that a permission reaches, and the actions that it allows."""

    repository: str
    actions: tuple[str, ...]


def try_login(
    username: str,
    password: str,
    wanted: Sequence[Wanted],
    panel_settings: PanelSettings,
    *,
    timing: Timing = TIMING,
    total: float = TOTAL,
) -> list[Step]:
    """Return the steps up to the first that fails; then those of every permission, at most REPOSITORIES_MAX."""
    attempt = _Attempt(username, password, panel_settings, timing, total)
    try:
        attempt.run(wanted[:REPOSITORIES_MAX])
    finally:
        attempt.close()
    return attempt.steps


class _Attempt:
    def __init__(
        self, username: str, password: str, panel_settings: PanelSettings, timing: Timing, total: float
    ) -> None:
        self.steps: list[Step] = []
        self._settings, self._timing, self._ends = panel_settings, timing, time.monotonic() + total
        scheme = urlsplit(panel_settings.public_url).scheme
        self._front = self._client(f"{scheme}://{panel_settings.registry_host}")
        realm = urlsplit(panel_settings.realm)
        self._tokens, self._realm_path = self._client(f"{realm.scheme}://{realm.netloc}"), realm.path
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._basic = {"Authorization": f"Basic {pair}"}

    def close(self) -> None:
        self._front.close()
        self._tokens.close()

    def run(self, wanted: Sequence[Wanted]) -> None:
        answer = self._challenge(_("Ask the registry where to log in"))
        if not answer.status and self._front.url != self._settings.registry_url:
            # Clients may reach what this machine cannot, behind a proxy or in another network.
            self._front.close()
            self._front = self._client(self._settings.registry_url)
            answer = self._challenge(_("Ask the registry at the panel’s own address for it"))
        if not self.steps[-1].good:
            return
        if problem := judge.realm(answer, self._settings.realm):
            self._add(
                _("Where the registry sends clients for a token"), "", answer.parameters["realm"], 0, problem
            )
            return
        service = answer.parameters.get("service", "")
        token = self._login(service)
        if token and self._accepted(token):
            for each in wanted:
                if time.monotonic() > self._ends:
                    break
                self._repository(service, each)

    def _challenge(self, title: str) -> Answer:
        answer, _body = fetch(self._front, "/v2/", {})
        problem = judge.challenge(answer, self._host)
        self._ask_step(title, self._front, "/v2/", answer, problem)
        return answer

    def _login(self, service: str) -> str:
        path = self._token_path(service, "")
        answer, body = fetch(self._tokens, path, self._basic)
        token = _token_in(body) if answer.status == responses.OK else ""
        host = str(urlsplit(self._settings.realm).netloc)
        problem = judge.login(answer, host, has_token=bool(token))
        self._ask_step(_("Log in with username and password"), self._tokens, path, answer, problem)
        return "" if problem else token

    def _accepted(self, token: str) -> bool:
        answer, _body = fetch(self._front, "/v2/", _bearer(token))
        problem = judge.acceptance(answer, self._host)
        self._ask_step(_("Show the token to the registry"), self._front, "/v2/", answer, problem)
        return not problem

    def _repository(self, service: str, wanted: Wanted) -> None:
        scope = f"repository:{wanted.repository}:{','.join(wanted.actions)}"
        _answer, body = fetch(self._tokens, self._token_path(service, scope), self._basic)
        token = _token_in(body)
        path = responses.api_path(wanted.repository, "tags/list")
        answer, _body = fetch(self._front, path, _bearer(token))
        granted = granted_by(token, wanted.repository)
        problem = judge.repository(answer, self._host, wanted=[*wanted.actions], granted=granted)
        title = _(
            "%(repository)s: %(actions)s", repository=wanted.repository, actions=", ".join(wanted.actions)
        )
        self._ask_step(title, self._front, path, answer, problem)

    def _client(self, url: str) -> RegistryClient:
        return RegistryClient(url, lambda *_scope: "", agent=AGENT, timing=self._timing)

    @property
    def _host(self) -> str:
        return urlsplit(self._front.url).netloc

    def _token_path(self, service: str, scope: str) -> str:
        query = {"service": service} | ({"scope": scope} if scope else {})
        return f"{self._realm_path}?{urlencode(query)}"

    def _ask_step(self, title: str, client: RegistryClient, path: str, answer: Answer, problem: str) -> None:
        shown = str(answer.status) if answer.status else answer.error
        self._add(title, f"GET {client.url}{path}", shown, answer.seconds, problem)

    def _add(self, title: str, request: str, answer: str, seconds: float, problem: str) -> None:
        self.steps.append(Step(title, request, answer, seconds, problem))


def granted_by(token: str, repository: str) -> list[str]:
    """Return the actions on it that a token of ours allows. Its signature is the registry's business."""
    _head, _dot, rest = token.partition(".")
    payload = rest.partition(".")[0]
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return []
    entries = claims.get("access") if isinstance(claims, dict) else None
    for entry in entries or []:
        if entry.get("name") == repository:
            return [str(action) for action in entry.get("actions", [])]
    return []


def _token_in(body: bytes) -> str:
    try:
        return str(responses.json_object(body).get("token", ""))
    except RegistryError:
        return ""


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
