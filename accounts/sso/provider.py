"""Ask the OpenID Connect provider: its configuration, its keys, and who has just signed in there."""

import base64
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_network
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.cache import cache

from accounts.common.circuit_breaker import Breaker
from accounts.common.errors import Unavailable
from accounts.common.lazy_text import lazy as _
from accounts.outbound import client
from accounts.outbound.addresses import Networks
from accounts.sso import id_token
from accounts.sso.id_token import Untrusted

SECONDS: Final = 5.0  # for each request
MOST_BYTES: Final = 256 * 1024
KEPT_SECONDS: Final = 60  # configuration and keys; so soon the panel knows that the provider is away
REST_SECONDS: Final = 5.0  # after a failure, in which nobody waits for the next one
TOGETHER: Final = 2  # requests at once: a provider that hangs must leave threads for everybody else
WELL_KNOWN: Final = "/.well-known/openid-configuration"

# The operator chose the provider, which may be in their own network.
_ANYWHERE: Final = Networks("OIDC_ISSUER", (ip_network("0.0.0.0/0"), ip_network("::/0")))
_turns = threading.BoundedSemaphore(TOGETHER)
breaker = Breaker(REST_SECONDS)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What discovery says. `issuer` is as the provider writes it; `userinfo` is "" where it has none."""

    issuer: str
    authorization: str
    token: str
    userinfo: str
    keys: str
    client_auth: tuple[str, ...]


class ProviderError(Unavailable):
    """The provider cannot be asked, or answers with what is no answer. `detail` is for operators."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            _("%(name)s cannot be reached for signing in. Try again in a moment.", name=settings.OIDC_NAME)
        )
        self.detail = detail
        log.warning("sign-in provider: %s", detail)


def configuration() -> Configuration:
    """Return what discovery said, at most a minute ago. Raise ProviderError."""
    return read_configuration(_kept("configuration", _discover), settings.OIDC_ISSUER)


def look() -> None:
    """Ask for all that a sign-in needs before anybody signs in. Raise ProviderError."""
    config = read_configuration(_discover(), settings.OIDC_ISSUER)
    _get(config.keys)


def _discover() -> Mapping[str, Any]:
    return _get(settings.OIDC_ISSUER.rstrip("/") + WELL_KNOWN)


def read_configuration(found: Mapping[str, Any], issuer: str) -> Configuration:
    """Raise ProviderError where the panel cannot sign anybody in with it."""
    named = found.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer.rstrip("/"):
        raise ProviderError(
            _("Discovery names the issuer %(named)s, which is not OIDC_ISSUER.", named=str(named)[:255])
        )
    urls = {
        name: found.get(name, "")
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
        )
    }
    for name, url in urls.items():
        optional = name == "userinfo_endpoint"
        if not isinstance(url, str) or not (
            url.startswith(("https://", "http://")) or (optional and not url)
        ):
            raise ProviderError(_("Discovery has no usable %(name)s.", name=name))
    methods = found.get("token_endpoint_auth_methods_supported")
    return Configuration(
        issuer=named,
        authorization=urls["authorization_endpoint"],
        token=urls["token_endpoint"],
        userinfo=urls["userinfo_endpoint"],
        keys=urls["jwks_uri"],
        client_auth=tuple(map(str, methods)) if isinstance(methods, list) else ("client_secret_basic",),
    )


@dataclass(frozen=True, slots=True)
class Claims:
    id_token: Mapping[str, Any]
    userinfo: Mapping[str, Any]


def redeem(*, code: str, verifier: str, nonce: str, redirect_uri: str) -> Claims:
    """Swap the code of a sign-in for the claims of who signed in.

    Raise Untrusted for what proves nothing, and ProviderError where the provider does not answer.
    """
    config = configuration()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    status, answer = _post(config.token, *_authenticated(config, form))
    if status != 200:  # noqa: PLR2004
        log.warning("sign-in provider: the code was refused: %s", str(answer.get("error"))[:100])
        raise Untrusted(_("The provider did not confirm this sign-in."))
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise Untrusted(_("The provider sent no ID token. Is the scope openid asked for?"))
    claims = _verified(config, token, nonce)
    return Claims(claims, _userinfo(config, answer.get("access_token"), claims["sub"]))


def _verified(config: Configuration, token: str, nonce: str) -> dict[str, Any]:
    def verify() -> dict[str, Any]:
        keys = _kept("keys", lambda: _get(config.keys))
        return id_token.verify(
            token, keys=keys, issuer=config.issuer, client_id=settings.OIDC_CLIENT_ID, nonce=nonce
        )

    try:
        return verify()
    except Untrusted as error:
        if not error.unknown_key:
            raise
    cache.delete(_name("keys"))  # they may have been rotated since
    return verify()


def _userinfo(config: Configuration, access_token: object, subject: str) -> Mapping[str, Any]:
    """Return what userinfo says of the same person (OpenID Connect Core 5.3.2); {} where there is none."""
    if not config.userinfo or not isinstance(access_token, str):
        return {}
    found = _get(config.userinfo, {"Authorization": f"Bearer {access_token}"})
    if found.get("sub") != subject:
        raise Untrusted(_("The provider named two different people."))
    return found


def _authenticated(config: Configuration, form: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return form and headers with the client's secret, where there is one."""
    name, secret = settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET
    if not secret:
        return form | {"client_id": name}, {}
    if "client_secret_post" in config.client_auth:
        return form | {"client_id": name, "client_secret": secret}, {}
    pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"  # RFC 6749, 2.3.1
    return form, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _kept(what: str, ask: Any) -> Mapping[str, Any]:
    found = cache.get(_name(what))
    if found is None:
        found = ask()
        cache.set(_name(what), found, KEPT_SECONDS)
    return cast("Mapping[str, Any]", found)


def _name(what: str) -> str:
    return f"sso-{what}-{sha256(settings.OIDC_ISSUER.encode()).hexdigest()}"


def _get(url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    with _turn():
        answer = client.get(
            url,
            networks=_ANYWHERE,
            most_bytes=MOST_BYTES,
            seconds=SECONDS,
            headers={"Accept": "application/json", **(headers or {})},
            plain_http=settings.OIDC_PLAIN_HTTP,
        )
    if answer.status != 200:  # noqa: PLR2004
        raise ProviderError(_("%(url)s answers %(status)s.", url=url, status=str(answer.status)))
    return _object(url, answer.body)


def _post(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
    with _turn():
        answer = client.post(
            url,
            urlencode(form).encode(),
            networks=_ANYWHERE,
            most_bytes=MOST_BYTES,
            seconds=SECONDS,
            headers={
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
                **headers,
            },
            plain_http=settings.OIDC_PLAIN_HTTP,
        )
    if answer.status >= 500:  # noqa: PLR2004
        raise ProviderError(_("%(url)s answers %(status)s.", url=url, status=str(answer.status)))
    return answer.status, _object(url, answer.body)


@contextmanager
def _turn() -> Iterator[None]:
    if not breaker.may_ask:
        raise ProviderError(_("It did not answer a moment ago."))
    if not _turns.acquire(timeout=1):
        raise ProviderError(_("It is slow, and others are waiting for it."))
    try:
        yield
    except client.OutboundError as error:
        breaker.failed()
        raise ProviderError(error.message) from error
    finally:
        _turns.release()


def _object(url: str, body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProviderError(_("%(url)s answers with something that is not a JSON object.", url=url))
    return found
