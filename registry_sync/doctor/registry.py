"""Judges the registry and its configuration. PURE."""

from datetime import timedelta

from accounts.common.lazy_text import lazy as _
from accounts.common.lazy_text import lazy_plural as ngettext
from registry_sync.doctor.observations import Answer, EventProbe, PanelSettings, Schema1Images, TokenProbe
from registry_sync.doctor.result import (
    Finding,
    Fix,
    fail,
    in_config,
    in_environment,
    lasted,
    ok,
    pending,
    skipped,
    warn,
)

SKEW_WARN, SKEW_FAIL = timedelta(seconds=20), timedelta(seconds=60)  # the registry's leeway is 60 s
_DOOR = "/auth/token"
_UNAUTHORIZED, _NOT_FOUND, _NOT_ALLOWED, _BAD_REQUEST, _GOOD = 401, 404, 405, 400, 200


def reachable(answer: Answer, panel_settings: PanelSettings) -> Finding:
    if answer.status:
        return ok(_("%(registry_url)s responds.", registry_url=panel_settings.registry_url))
    if answer.error == "SSLError":
        return fail(
            _(
                "%(registry_url)s has a certificate that this machine does not trust.",
                registry_url=panel_settings.registry_url,
            ),
            Fix(
                _("Give the registry a certificate for that name, or let the panel use an internal address:")
            ),
            in_environment("REGISTRY_URL=http://REGISTRY-INSIDE:5000"),
        )
    return fail(
        _(
            "%(registry_url)s does not respond (%(error)s).",
            registry_url=panel_settings.registry_url,
            error=answer.error,
        ),
        Fix(_("Start the registry. If the panel and its worker reach it at another address, set:")),
        in_environment(f"REGISTRY_URL={panel_settings.registry_url}"),
    )


def challenge(answer: Answer, panel_settings: PanelSettings) -> Finding:
    """Judge that it wants a token, and says where to get one."""
    if answer.status == _UNAUTHORIZED and answer.parameters.get("realm"):
        return ok(_("/v2/ returns 401 and asks for a token."))
    whole = in_config("auth", auth_section(panel_settings))
    if answer.status == _GOOD:
        return fail(_("The registry asks for no token: anybody can pull, push and delete everything."), whole)
    if answer.status == _UNAUTHORIZED:
        kind = answer.challenge.partition(" ")[0] or _("nothing")
        return fail(_("The registry asks for %(kind)s instead of a Bearer token. Only one kind may be "
                      "configured under auth; remove the other.", kind=kind), whole)  # fmt: skip
    return fail(
        _(
            "/v2/ returns %(status)s. Either this is not a registry, or a proxy is in front of it.",
            status=answer.status,
        ),
        in_environment(f"REGISTRY_URL={panel_settings.registry_url}"),
        Fix(_("Or let the proxy send /v2/ to the registry, unchanged.")),
    )


def realm(answer: Answer, panel_settings: PanelSettings) -> Finding:
    named = answer.parameters.get("realm", "")
    if named == panel_settings.realm:
        return ok(_("It sends clients to %(named)s.", named=named))
    fixes = [in_config("auth.token", f"realm: {panel_settings.realm}\nautoredirect: false")]
    if named.endswith(_DOOR):
        other = f"PUBLIC_URL={named.removesuffix(_DOOR)}"
        fixes.append(
            Fix(_("Or, if clients reach the panel at the first address, in the panel’s environment:"), other)
        )
    return fail(
        _(
            "It sends clients to %(named)s for a token, but the panel issues tokens at %(realm)s.",
            named=named,
            realm=panel_settings.realm,
        ),
        *fixes,
    )


def service(answer: Answer, panel_settings: PanelSettings) -> Finding:
    named = answer.parameters.get("service", "")
    if named == panel_settings.service:
        return ok(_("Its service name is %(named)s, the same as the panel’s.", named=named))
    return fail(
        _(
            "Its service name is %(named)s, but the panel issues tokens for %(service)s.",
            named=named or _("(nothing)"),
            service=panel_settings.service,
        ),
        in_config("auth.token", f"service: {panel_settings.service}"),
        Fix(_("Or in the environment of the panel and its worker:"), f"TOKEN_SERVICE={named}"),
    )


def token(trial: TokenProbe, panel_settings: PanelSettings) -> Finding:
    if trial.anybody:
        return fail(
            _("It accepts a token signed by an unknown key, so anybody can forge one."),
            in_config("auth", auth_section(panel_settings)),
        )
    if trial.issuer == panel_settings.issuer:
        return ok(_("It accepts tokens that the panel signs, and rejects others."))
    if trial.issuer:
        return fail(
            _(
                "It accepts only tokens of the issuer %(theirs)s, but the panel’s issuer is %(panel_issuer)s.",
                theirs=trial.issuer,
                panel_issuer=panel_settings.issuer,
            ),
            in_config("auth.token", f"issuer: {panel_settings.issuer}"),
        )
    return fail(
        _("It rejects tokens that the panel signs. It trusts another certificate authority or expects another issuer."),
        in_config("auth.token", f"issuer: {panel_settings.issuer}\nrootcertbundle: /path/to/ca.crt"),
        Fix(_("That file must be a copy of %(ca_file)s. To compare, run where the registry runs:",
              ca_file=panel_settings.ca_file),
            "openssl x509 -noout -fingerprint -sha256 -in /path/to/ca.crt\n"
            f"# must print {panel_settings.ca_fingerprint}"),
    )  # fmt: skip


def clock(answer: Answer) -> Finding:
    """By the Date header, which knows whole seconds; the way there and back is allowed for."""
    if not answer.date or not answer.asked_at:
        return skipped(_("Its responses have no Date header, so the clocks cannot be compared."))
    middle = answer.asked_at + timedelta(seconds=answer.seconds / 2)
    skew = answer.date + timedelta(seconds=0.5) - middle
    late = f"{abs(skew).total_seconds():.0f}"
    if skew > timedelta():
        words = _("The registry’s clock is %(late)s s ahead of the panel’s.", late=late)
    else:
        words = _("The registry’s clock is %(late)s s behind the panel’s.", late=late)
    lines = Fix(
        _("Synchronize the clocks of both machines, and check each:"),
        "timedatectl set-ntp true\ntimedatectl status",
    )
    if abs(skew) >= SKEW_FAIL:
        return fail(
            _("%(sentence)s It rejects the panel’s tokens as expired or not yet valid.", sentence=words),
            lines,
        )
    if abs(skew) >= SKEW_WARN:
        return warn(_("%(sentence)s At 60 s it rejects the panel’s tokens.", sentence=words), lines)
    return ok(_("The clocks agree."))


def upstream(*, answers: bool | None, panel_settings: PanelSettings) -> Finding:
    """`answers`: None where the cache holds nothing yet of which it could be asked."""
    if not panel_settings.is_cache:
        return ok(_("The registry stores its images itself."))
    if answers is None:
        return pending(_("Not run yet: the cache is empty, so there is nothing to check with."))
    if answers:
        return ok(_("The registry behind the cache responds."))
    return fail(
        _("The registry behind the cache does not respond. Cached images can still be pulled, "
          "others cannot. Until it responds again, nothing is removed from the panel."),
        in_config("proxy", "remoteurl: https://UPSTREAM  # must answer where the registry runs"),
    )  # fmt: skip


def deletion(answer: Answer, panel_settings: PanelSettings) -> Finding:
    """`answer` to the deletion of what does not exist."""
    if panel_settings.is_cache and answer.status == _NOT_ALLOWED:
        return ok(
            _(
                "It is a pull-through cache, so nothing can be deleted in it, and nothing is removed from the panel."
            )
        )
    if panel_settings.is_cache and answer.status == _NOT_FOUND:
        return fail(
            _("It accepts deletions, so it is not a pull-through cache. The panel is configured for "
              "one, and therefore keeps showing what is gone."),
            in_environment("REGISTRY_IS_PULL_THROUGH_CACHE=false"),
        )  # fmt: skip
    if answer.status == _NOT_ALLOWED:
        return fail(
            _(
                "Deletion is disabled in the registry, so neither people nor retention rules can delete anything."
            ),
            in_config("storage", "delete:\n  enabled: true"),
            Fix(
                _(
                    "If deletion is already enabled, the registry is read-only: "
                    "storage.maintenance.readonly.enabled must be false."
                )
            ),
            Fix(
                _("If it is a pull-through cache (proxy.remoteurl), tell the panel:"),
                "REGISTRY_IS_PULL_THROUGH_CACHE=true",
            ),
        )
    if answer.status == _NOT_FOUND:
        return ok(_("It accepts deletions."))
    return skipped(
        _(
            "Whether it accepts deletions is unknown: it returned %(status)s.",
            status=answer.status or answer.error,
        )
    )


def old_form(found: Schema1Images, panel_settings: PanelSettings) -> Finding:
    """Images pushed before 2017, which 2.8 reads and 3.x does not."""
    if not found.count:
        return ok(_("The panel knows of no Docker schema 1 images in it."))
    known = [name for name in found.names if "@" in name]
    unread = [name for name in found.names if "@" not in name]
    fixes = []
    if known:
        words = _("Push again what you still need, then delete these on their pages or with a client:")
        fixes.append(
            Fix(words, "\n".join(f"crane delete {panel_settings.registry_host}/{name}" for name in known))
        )
    if unread:
        words = _("The digests of these are unknown. Garbage collection prints each one when it stops there:")
        fixes.append(
            Fix(
                words,
                "\n".join(f"crane delete {panel_settings.registry_host}/{name}@DIGEST" for name in unread),
            )
        )
    if found.read:
        return warn(
            ngettext("%(n)s image has the Docker schema 1 format, which Distribution 3 cannot read. "
                     "Delete it before you upgrade.",
                     "%(n)s images have the Docker schema 1 format, which Distribution 3 cannot read. "
                     "Delete them before you upgrade.", found.count), *fixes,
        )  # fmt: skip
    return fail(
        ngettext("It cannot read %(n)s image in the Docker schema 1 format. Its garbage collection "
                 "stops there and deletes nothing.",
                 "It cannot read %(n)s images in the Docker schema 1 format. Its garbage collection "
                 "stops at the first of them and deletes nothing.", found.count), *fixes,
    )  # fmt: skip


def catalog(answer: Answer) -> Finding:
    """`answer` to a request for 1000 names."""
    if answer.status == _BAD_REQUEST:
        return fail(
            _(
                "Its catalog returns fewer than 1000 names at a time and rejects requests for 1000. "
                "The sync needs 1000."
            ),
            in_config("", "catalog:\n  maxentries: 1000"),
        )
    if answer.status == _GOOD:
        return ok(_("The catalog returns 1000 names at a time, in %(time)s.", time=lasted(answer.seconds)))
    return warn(_("The catalog cannot be read: %(status)s.", status=answer.status or answer.error))


def events(trial: EventProbe, panel_settings: PanelSettings) -> Finding:
    if trial.after is not None:
        if trial.after < 1:
            return ok(_("The registry’s events reach the panel within a second."))
        late = f"{trial.after:.0f}"
        return ok(_("The registry’s events reach the panel after %(late)s s.", late=late))
    if trial.refused:
        return fail(
            _("The registry sends events, but with a different key than the panel’s."),
            in_config("notifications.endpoints[].headers",
                      f"Authorization: [Bearer KEY]  # KEY: what {panel_settings.hook_file} holds"),
        )  # fmt: skip
    if trial.redirected or trial.location:
        return fail(
            _("The registry’s events are redirected to %(there)s and lost: a registry that follows a "
              "redirect does not send the event again.", there=trial.location or _("another address")),
            in_config("notifications.endpoints[]", f"url: {panel_settings.events_url}"),
            Fix(_("From the registry’s machine, this must return 401, not 301, 302 or 307:"),
                f"curl -i -X POST {panel_settings.events_url}"),
        )  # fmt: skip
    if trial.problem:
        return skipped(_("Whether events arrive could not be checked: %(problem)s.", problem=trial.problem))
    return fail(
        _("The registry’s events do not reach the panel: pushes appear only after the next full "
                      "check, and pulls are not counted."),
        in_config("", notifications_section(panel_settings)),
        Fix(_("If this is already configured, check that this returns 401 from the registry’s machine:"),
            f"curl -i -X POST {panel_settings.events_url}"),
    )  # fmt: skip


def auth_section(panel_settings: PanelSettings) -> str:
    return (
        f"auth:\n  token:\n    realm: {panel_settings.realm}\n"
        f"    service: {panel_settings.service}\n    issuer: {panel_settings.issuer}\n"
        f"    rootcertbundle: /path/to/ca.crt  # a copy of {panel_settings.ca_file}\n    autoredirect: false"
    )


def notifications_section(panel_settings: PanelSettings) -> str:
    return (
        f"notifications:\n  endpoints:\n    - name: panel\n      url: {panel_settings.events_url}\n"
        f"      headers:\n        Authorization: [Bearer KEY]  # KEY: what {panel_settings.hook_file} holds\n"
        "      timeout: 5s\n      threshold: 5\n      backoff: 10s\n"
        "      ignore:\n        mediatypes: [application/octet-stream]"
    )
