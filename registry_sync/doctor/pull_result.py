"""Judges whether what was pushed can be pulled: where layers come from, and whether they are there. PURE."""

from urllib.parse import urlsplit

from accounts.common.lazy_text import lazy as _
from registry_sync.doctor.addresses import is_private_literal
from registry_sync.doctor.observations import PanelSettings, Pulled
from registry_sync.doctor.result import Finding, Fix, fail, in_config, ok, pending, skipped, warn

NAME_SHOWN = 60  # characters


def pull(pulled: list[Pulled] | None, panel_settings: PanelSettings) -> Finding:
    """Judge what was pulled. `pulled`: None where no address asked for a token, so nothing was tried."""
    if pulled is None:
        return skipped(_("No address of the registry responds correctly, so nothing was pulled."))
    if not pulled:
        return pending(_("Not run yet: nothing has been pushed."))
    if astray := next((image for image in pulled if image.astray), None):
        return fail(
            _(
                "Pushes succeed, but nobody can pull: the registry redirects clients to %(there)s for "
                "layers, and that fails from here (%(why)s).",
                there=astray.origin,
                why=astray.astray,
            ),
            *_redirects(astray.origin),
        )
    lost = [image for image in pulled if image.lost]
    if lost:
        judge = fail if len(lost) == len(pulled) else warn
        return judge(
            _("%(name)s cannot be pulled (%(lost)s). After a garbage collection, a registry whose cache "
              "still lists the deleted layers accepts a push of them without storing them.",
              name=lost[0].name, lost=lost[0].lost),
            Fix(_("Clear the registry’s cache, then push the image again: stop the registry, flush its own "
                  "Redis database if the cache is there, and start the registry:"),
                "redis-cli -h REGISTRY-REDIS -n 0 flushdb  # storage.cache.blobdescriptor: redis"),
        )  # fmt: skip
    origin = next((image.origin for image in pulled if image.origin), "")
    if not origin:
        return ok(_("%(name)s can be pulled. The registry serves all of it.", name=_short(pulled[0].name)))
    if _only_inside(origin, panel_settings):
        return warn(
            _(
                "The registry redirects clients to %(there)s for layers. That works from here, but "
                "clients elsewhere may not reach it, and then cannot pull.",
                there=origin,
            ),
            *_redirects(origin),
        )
    return ok(
        _(
            "%(name)s can be pulled. Its layers come from %(there)s.",
            name=_short(pulled[0].name),
            there=origin,
        )
    )


def _short(name: str) -> str:
    """Both ends of a long one: the namespace, and the tag. Where something is wrong it is said whole."""
    half = NAME_SHOWN // 2
    return name if len(name) <= NAME_SHOWN else f"{name[:half]}…{name[1 - half :]}"


def _redirects(origin: str) -> tuple[Fix, ...]:
    return (
        in_config("storage", "redirect:\n  disable: true  # the registry gives layers itself"),
        Fix(_("Or the same in the registry’s environment:"), 'REGISTRY_STORAGE_REDIRECT_DISABLE: "true"'),
        Fix(
            _(
                "Or make %(there)s reachable for every client. If it has another public name, set that here:",
                there=origin,
            ),
            "storage:\n  s3:\n    regionendpoint: https://STORE.example.com",
        ),
    )


def _only_inside(origin: str, panel_settings: PanelSettings) -> bool:
    """Return whether its name or number means something in its own network alone, and the registry's does not."""
    return _inside(str(urlsplit(origin).hostname)) and not _inside(
        str(urlsplit(f"//{panel_settings.registry_host}").hostname)
    )


def _inside(host: str) -> bool:
    return is_private_literal(host) or ("." not in host and ":" not in host)
