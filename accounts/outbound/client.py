"""One request to an address that a person or an operator named.

It connects only to what was checked, follows no redirect, keeps no cookie, asks no proxy of the environment, and is
over when its time is, whatever the other side does. Certificates are verified against those that the system trusts.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from socket import (
    AI_NUMERICHOST,
    EAI_NONAME,
    SHUT_RDWR,
    SOCK_STREAM,
    AddressFamily,
    gaierror,
    getaddrinfo,
    socket,
)
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from accounts.common.errors import DomainError
from accounts.common.lazy_text import LazyText
from accounts.common.lazy_text import lazy as _
from accounts.outbound.addresses import Networks, Refused, Target, refusal, target

USER_AGENT: Final = "registry-manager"
_CHUNK: Final = 64 * 1024
_ROUNDS_MAX: Final = 100
# A compressed answer has two lengths; it is not asked for, so that the bound is on what was sent.
_ALWAYS: Final = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}

Lookup = Callable[[str, int], Collection[str]]


class OutboundError(DomainError):
    """No answer that can be used. `message` is a LazyText for people; it repeats nothing that the answer held."""

    message: LazyText


@dataclass(frozen=True, slots=True)
class Response:
    """`headers`: by names in lower case, of several with one name the last. Not `is_whole`: the body goes on."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool = True


def system_lookup(host: str, port: int) -> Collection[str]:
    """Return the addresses of a name as the system finds them. Raise OSError."""
    return dict.fromkeys(str(found[4][0]) for found in getaddrinfo(host, port, type=SOCK_STREAM))


def get(
    url: str,
    *,
    networks: Networks,
    most_bytes: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    plain_http: bool = False,
    lookup: Lookup = system_lookup,
) -> Response:
    """Return the answer, whatever its status. `seconds` are for all of it, from the name to the last byte.

    https only; with `plain_http` also by http, to addresses in `networks` alone. Raise OutboundError. Not for threads
    that run an event loop.
    """
    request = _Request(
        "GET", url, b"", headers or {}, networks, most_bytes, seconds, plain_http=plain_http, lookup=lookup
    )
    return _run(request)


def post(
    url: str,
    body: bytes,
    *,
    networks: Networks,
    most_bytes: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    plain_http: bool = False,
    only_beginning: bool = False,
    lookup: Lookup = system_lookup,
) -> Response:
    """As `get`. With `only_beginning` an answer may be longer than `most_bytes`: the rest is not read.

    Then its status counts, also where it is compressed (it has no body then) and where its body stalls or breaks off.
    """
    request = _Request(
        "POST", url, body, headers or {}, networks, most_bytes, seconds, plain_http=plain_http,
        only_beginning=only_beginning, lookup=lookup,
    )  # fmt: skip
    return _run(request)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    networks: Networks
    most_bytes: int
    seconds: float
    plain_http: bool = False
    only_beginning: bool = False
    lookup: Lookup = system_lookup


def _run(request: _Request) -> Response:
    try:
        where = _target(request)
        return asyncio.run(_within_time(request, where))
    except Refused as refused:
        raise OutboundError(refused.text) from None


def _target(request: _Request) -> Target:
    where = target(request.url)
    if where.scheme == "http" and not request.plain_http:
        raise Refused(_("The URL must begin with https://."))
    if not all(each.isascii() and each.isprintable() for pair in request.headers.items() for each in pair):
        raise Refused(_("A header contains a character that cannot be sent."))
    return where


async def _within_time(request: _Request, where: Target) -> Response:
    begun: list[_Begun] = []
    try:
        return await _in_time(request, where, begun)
    except OutboundError:
        if begun and request.only_beginning:
            return begun[0].response(is_whole=False)
        raise


async def _in_time(request: _Request, where: Target, begun: "list[_Begun]") -> Response:
    try:
        async with asyncio.timeout(request.seconds):
            pinned = await _checked_addresses(request, where)
            return await _ask(request, where, pinned, begun)
    except TimeoutError:
        raise OutboundError(
            _(
                "%(host)s gave no complete answer within %(seconds)s seconds.",
                host=where.host,
                seconds=request.seconds,
            )
        ) from None
    except (aiohttp.ClientError, OSError) as error:
        raise OutboundError(_words(error, where)) from error


async def _checked_addresses(request: _Request, where: Target) -> Sequence[str]:
    """Return all addresses of the host. Raise Refused when the panel may not connect to one of them."""
    found = [where.host] if where.address else await _looked_up(request.lookup, where)
    for each in found:
        address = ip_address(each)
        if reason := refusal(address, request.networks):
            raise Refused(reason)
        if where.scheme == "http" and not request.networks.hold(address):
            raise Refused(
                _(
                    "Without https, only addresses in %(setting)s are allowed.",
                    setting=request.networks.setting,
                )
            )
    return found


async def _looked_up(lookup: Lookup, where: Target) -> Sequence[str]:
    """Ask in a thread that nobody waits for: asyncio's own would hold the end of the loop until names are found."""
    future: Future[Collection[str]] = Future()

    def look_up() -> None:
        future.set_running_or_notify_cancel()
        try:
            future.set_result(lookup(where.host, where.port))
        except (OSError, UnicodeError) as error:
            future.set_exception(error)

    threading.Thread(target=look_up, name="outbound-lookup", daemon=True).start()
    try:
        found = await asyncio.wrap_future(future)
    except gaierror as error:
        if error.errno == EAI_NONAME:
            raise OutboundError(_("There is no host called %(host)s.", host=where.host)) from error
        found = ()
    if not found:
        raise OutboundError(_("The address of %(host)s cannot be looked up.", host=where.host))
    return list(found)


async def _ask(request: _Request, where: Target, pinned: Sequence[str], begun: "list[_Begun]") -> Response:
    """Put an answer into `begun` as soon as its head is there."""
    sockets: list[socket] = []

    def new_socket(found: tuple[Any, ...]) -> socket:
        sockets.append(socket(*found[:3]))
        sockets[-1].setblocking(False)
        return sockets[-1]

    connector = aiohttp.TCPConnector(
        resolver=_Pinned(pinned),
        use_dns_cache=False,
        ssl=where.scheme == "http" or ssl.create_default_context(),  # which reads all authorities: 20 ms
        force_close=True,
        socket_factory=new_socket,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),  # the one around all of it holds
        trust_env=False,
        auto_decompress=False,
    )
    url = URL(where.url, encoded=True)  # exactly as written: a receiver may compare it
    headers = {**request.headers, **_ALWAYS}
    try:
        async with (
            session,
            session.request(
                request.method, url, data=request.body or None, headers=headers, allow_redirects=False
            ) as response,
        ):
            named = {name.lower(): each for name, each in response.headers.items()}
            begun.append(_Begun(response.status, named))
            is_whole = await _read_body(
                response, begun[0].body, request.most_bytes, only_beginning=request.only_beginning
            )
            return begun[0].response(is_whole=is_whole)
    finally:
        await _closed(sockets)


async def _closed(sockets: Sequence[socket]) -> None:
    """End what is still open: TLS would first say goodbye, and wait for the other side to do so."""
    for each in sockets:
        with suppress(OSError):
            each.shutdown(SHUT_RDWR)
    for _round in range(_ROUNDS_MAX):
        if all(each.fileno() == -1 for each in sockets):
            break
        await asyncio.sleep(0)  # connections close in one of the loop's next rounds


@dataclass(frozen=True, slots=True)
class _Begun:
    """An answer whose head is there, and what was read of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytearray = field(default_factory=bytearray)

    def response(self, *, is_whole: bool) -> Response:
        return Response(self.status, self.headers, bytes(self.body), is_whole)


async def _read_body(
    response: aiohttp.ClientResponse, body: bytearray, most: int, *, only_beginning: bool
) -> bool:
    """Read into `body`. Return whether that is all of it."""
    if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        if only_beginning:
            return False
        raise OutboundError(_("The answer is compressed, which was not asked for."))
    async for part in response.content.iter_chunked(_CHUNK):
        body += part
        if len(body) > most and only_beginning:
            del body[most:]
            return False
        if len(body) > most:
            raise OutboundError(_("The answer is longer than %(most)s bytes.", most=most))
    return True


class _Pinned(AbstractResolver):
    """Answers with what was checked: a name server asked a second time may say something else."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=AddressFamily.AF_INET6 if ":" in each else AddressFamily.AF_INET,
                proto=0,
                flags=AI_NUMERICHOST,
            )
            for each in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _words(error: Exception, where: Target) -> LazyText:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "").rstrip(".") or "?"
        return _("The certificate of %(host)s is not valid: %(reason)s.", host=where.host, reason=reason)
    if isinstance(error, aiohttp.ClientSSLError):
        return _("%(host)s does not speak TLS on port %(port)s.", host=where.host, port=str(where.port))
    if isinstance(error, aiohttp.ClientConnectorError):
        return _("Nothing answers at %(host)s on port %(port)s.", host=where.host, port=str(where.port))
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | OSError):
        return _("%(host)s broke off before its answer was complete.", host=where.host)
    return _("%(host)s gave no valid HTTP answer.", host=where.host)
