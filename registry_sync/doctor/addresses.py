"""Judges the addresses that clients use, and what a proxy in front makes of them. PURE."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from accounts.common.lazy_text import lazy as _
from registry_sync.doctor.observations import Answer, PanelSettings
from registry_sync.doctor.result import Finding, Fix, fail, in_config, in_environment, ok, skipped, warn

_PORTS = {"http": 80, "https": 443}
_UNAUTHORIZED, _GOOD, _ACCEPTED = 401, 200, 202
FORWARDED = Fix(
    _("In the proxy in front of the registry (nginx):"),
    "proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-Proto $scheme;",
)


def form(panel_settings: PanelSettings, *, production: bool) -> Finding:
    """Judge what the two addresses say by themselves."""
    public = urlsplit(panel_settings.public_url)
    if production and public.scheme != "https":
        return fail(
            _(
                "PUBLIC_URL is %(public_url)s, so passwords would be sent unencrypted.",
                public_url=panel_settings.public_url,
            ),
            in_environment(f"PUBLIC_URL=https://{public.netloc}"),
        )
    if is_private_literal(str(public.hostname)) and _place(panel_settings.public_url) != _registry_place(
        panel_settings
    ):
        return fail(
            _(
                "The token address %(public_url)s is a private IP address that differs from the "
                "registry’s. crane, ko and kaniko refuse to use it.",
                public_url=panel_settings.public_url,
            ),
            in_environment("PUBLIC_URL=https://NAME  # a host name, best that of the registry"),
        )
    return ok(
        _(
            "Browsers and clients use %(public_url)s. Images are at %(registry_host)s.",
            public_url=panel_settings.public_url,
            registry_host=panel_settings.registry_host,
        )
    )


def panel(health: Answer, door: Answer, panel_settings: PanelSettings) -> Finding:
    """`health` to GET /healthz, `door` to GET /auth/token without a name, both as a client would ask."""
    url = panel_settings.public_url
    route = Fix(_("Let the proxy send everything except /v2/ to the panel."))
    if not health.status:
        return warn(_("%(url)s does not respond from here (%(error)s). Every client must be able to reach it.",
                      url=url, error=health.error),
                    in_environment(f"PUBLIC_URL={url}"))  # fmt: skip
    if health.location:
        target = urlsplit(health.location)
        return fail(_("%(url)s redirects to %(location)s. Clients do not send a password there.",
                      url=url, location=health.location),
                    in_environment(f"PUBLIC_URL={target.scheme}://{target.netloc}"))  # fmt: skip
    if health.status != _GOOD:
        more = in_environment(f"ALLOWED_HOSTS={urlsplit(url).hostname}")
        return fail(
            _(
                "%(url)s/healthz returns %(status)s, so that address is not the panel’s.",
                url=url,
                status=health.status,
            ),
            route,
            more,
        )
    if door.status != _UNAUTHORIZED or "UNAUTHORIZED" not in door.codes:
        return fail(
            _(
                "%(realm)s returns %(status)s, so clients get no token there.",
                realm=panel_settings.realm,
                status=door.status or door.error,
            ),
            route,
        )
    if health.seconds > panel_settings.slow:
        return warn(
            _(
                "The panel took %(seconds)s s to respond. Set a longer timeout in the registry.",
                seconds=round(health.seconds, 1),
            ),
            in_config("notifications.endpoints[]", "timeout: 5s"),
        )
    return ok(_("%(url)s is the panel and issues tokens.", url=url))


def registry(base: str, answer: Answer, upload: Answer | None, panel_settings: PanelSettings) -> Finding:
    """Judge the registry at the address that people type.

    `answer` to GET /v2/ there, and `upload` to the beginning of a push; `upload` None: not tried.
    """
    if not answer.status:
        return warn(_("%(registry_host)s does not respond from here (%(error)s). Every client must be able to "
                      "reach it.", registry_host=panel_settings.registry_host, error=answer.error),
                    in_environment(f"REGISTRY_HOST={panel_settings.registry_host}"))  # fmt: skip
    if answer.status != _UNAUTHORIZED or not answer.parameters:
        return fail(
            _("%(base)s/v2/ returns %(status)s instead of 401 with a Bearer challenge, so docker sends "
                      "no token.", base=base, status=answer.status),
            Fix(_("Let the proxy send /v2/ to the registry and leave the responses and their headers unchanged:"),
                "location /v2/ { proxy_pass http://REGISTRY:5000; }"),
        )  # fmt: skip
    if base.startswith("https:") and answer.parameters.get("realm", "").startswith("http:"):
        return fail(
            _("The registry uses https but sends clients to http for a token. crane and others refuse that."),
            in_config("auth.token", f"realm: {panel_settings.realm.replace('http:', 'https:', 1)}"),
        )
    if upload and upload.status == _ACCEPTED and not _same_place(upload.location, base):
        return fail(
            _(
                "A push that starts at %(base)s is redirected to %(there)s, where it fails.",
                base=base,
                there=_origin(upload.location),
            ),
            FORWARDED,
            in_config("http", f"host: {base}\n# or: relativeurls: true"),
        )
    if not upload:
        return skipped(
            _(
                "%(base)s is the registry. Whether it redirects pushes was not checked.",
                base=base,
            )
        )
    return ok(_("%(base)s is the registry, and pushes stay there.", base=base))


def is_private_literal(host: str) -> bool:
    """Return True for 10.0.0.5, ::1 and the like; a name is never one, whatever it resolves to."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_link_local


def _registry_place(panel_settings: PanelSettings) -> tuple[str, int]:
    return _place(f"{urlsplit(panel_settings.public_url).scheme}://{panel_settings.registry_host}")


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), parts.port or _PORTS.get(parts.scheme, 0)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _same_place(location: str, base: str) -> bool:
    """Return whether the Location leads to the same place; one without a host stays where it is."""
    target = urlsplit(location)
    return not target.netloc or (target.scheme == urlsplit(base).scheme and _place(location) == _place(base))
