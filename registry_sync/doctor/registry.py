"""Judges the registry and its configuration. PURE."""

from datetime import timedelta

from registry_sync.doctor.facts import Answer, EventTrial, Ours, TokenTrial
from registry_sync.doctor.verdict import Fix, Verdict, fail, in_config, in_environment, ok, warn

SKEW_WARN, SKEW_FAIL = timedelta(seconds=20), timedelta(seconds=60)  # the registry's leeway is 60 s
_DOOR = "/auth/token"
_UNAUTHORIZED, _NOT_ALLOWED, _BAD_REQUEST, _GOOD = 401, 405, 400, 200


def reachable(answer: Answer, ours: Ours) -> Verdict:
    if answer.status:
        return ok(f"{ours.registry_url} answers.")
    if answer.error == "SSLError":
        return fail(
            f"{ours.registry_url} shows a certificate that this machine does not trust.",
            Fix("Give the registry a certificate for that name, or let the panel reach it inside:"),
            in_environment("REGISTRY_URL=http://REGISTRY-INSIDE:5000"),
        )
    return fail(
        f"{ours.registry_url} does not answer ({answer.error}).",
        Fix("Start the registry. If it runs at another address, as seen from the panel and its worker:"),
        in_environment(f"REGISTRY_URL={ours.registry_url}"),
    )


def challenge(answer: Answer, ours: Ours) -> Verdict:
    """That it wants a token, and says where to get one."""
    if answer.status == _UNAUTHORIZED and answer.parameters.get("realm"):
        return ok("/v2/ answers 401 and asks for a token.")
    whole = in_config("auth", auth_section(ours))
    if answer.status == _GOOD:
        return fail("Anybody may read and write everything: the registry asks for no token.", whole)
    if answer.status == _UNAUTHORIZED:
        kind = answer.challenge.partition(" ")[0] or "nothing"
        return fail(f"The registry asks for {kind} and not for a Bearer token; exactly one kind may stand under "
                    "auth. Remove the other.", whole)  # fmt: skip
    return fail(
        f"/v2/ answers {answer.status}, so this is no registry, or a proxy stands before it.",
        in_environment(f"REGISTRY_URL={ours.registry_url}"),
        Fix("Or let the proxy send /v2/ to the registry, unchanged."),
    )


def realm(answer: Answer, ours: Ours) -> Verdict:
    named = answer.parameters.get("realm", "")
    if named == ours.realm:
        return ok(f"It sends clients to {named}.")
    fixes = [in_config("auth.token", f"realm: {ours.realm}\nautoredirect: false")]
    if named.endswith(_DOOR):
        other = f"PUBLIC_URL={named.removesuffix(_DOOR)}"
        fixes.append(
            Fix("Or in the panel's environment, if clients reach the panel at the first address:", other)
        )
    return fail(f"It sends clients to {named} to get a token; the panel gives them at {ours.realm}.", *fixes)


def service(answer: Answer, ours: Ours) -> Verdict:
    named = answer.parameters.get("service", "")
    if named == ours.service:
        return ok(f"It calls itself {named}, as the panel does.")
    return fail(
        f"It calls itself {named or '(nothing)'}; the panel makes tokens for {ours.service}.",
        in_config("auth.token", f"service: {ours.service}"),
        Fix("Or in the environment of the panel and its worker:", f"TOKEN_SERVICE={named}"),
    )


def token(trial: TokenTrial, ours: Ours) -> Verdict:
    if trial.anybody:
        return fail(
            "It takes a token that nobody we know has signed: everybody can make themselves one.",
            in_config("auth", auth_section(ours)),
        )
    if trial.issuer == ours.issuer:
        return ok("It takes a token that the panel signs, and refuses a stranger's.")
    if trial.issuer:
        return fail(
            f"It takes tokens of the issuer {trial.issuer} only; the panel calls itself {ours.issuer}.",
            in_config("auth.token", f"issuer: {ours.issuer}"),
        )
    return fail(
        "It refuses a token that the panel signs: it trusts another authority, or expects another issuer.",
        in_config("auth.token", f"issuer: {ours.issuer}\nrootcertbundle: /path/to/ca.crt"),
        Fix(f"That file must be a copy of {ours.ca_file}. Compare, where the registry runs:",
            "openssl x509 -noout -fingerprint -sha256 -in /path/to/ca.crt\n"
            f"# must print {ours.ca_fingerprint}"),
    )  # fmt: skip


def clock(answer: Answer) -> Verdict:
    """By the Date header, which knows whole seconds; the way there and back is allowed for."""
    if not answer.date or not answer.asked_at:
        return warn("Its answers carry no Date, so the clocks cannot be compared.")
    middle = answer.asked_at + timedelta(seconds=answer.seconds / 2)
    skew = answer.date + timedelta(seconds=0.5) - middle
    words = f"{abs(skew).total_seconds():.0f} s {'ahead of' if skew > timedelta() else 'behind'} the panel's"
    lines = Fix(
        "Let both machines keep time, and look at each:", "timedatectl set-ntp true\ntimedatectl status"
    )
    if abs(skew) >= SKEW_FAIL:
        return fail(f"The registry's clock is {words}: it refuses our tokens as too old or too young.", lines)
    if abs(skew) >= SKEW_WARN:
        return warn(f"The registry's clock is {words}; from 60 s on it refuses our tokens.", lines)
    return ok("The clocks agree.")


def deletion(answer: Answer) -> Verdict:
    """`answer` to the deletion of what does not exist."""
    if answer.status == _NOT_ALLOWED:
        return fail(
            "The registry deletes nothing, so neither people nor clean-up rules can.",
            in_config("storage", "delete:\n  enabled: true"),
            Fix("If it is so already, it is read-only: storage.maintenance.readonly.enabled must be false."),
        )
    if answer.status == 404:  # noqa: PLR2004
        return ok("It deletes what it is asked to.")
    return warn(f"Whether it deletes cannot be said: it answers {answer.status or answer.error}.")


def catalog(answer: Answer) -> Verdict:
    """`answer` to a request for 1000 names."""
    if answer.status == _BAD_REQUEST:
        return fail(
            "It gives fewer than 1000 names at once, and refuses who asks for 1000, as the sync does.",
            in_config("", "catalog:\n  maxentries: 1000"),
        )
    if answer.status == _GOOD:
        return ok(f"The catalog comes, 1000 names at a time, in {answer.seconds:.1f} s.")
    return warn(f"The catalog does not come: {answer.status or answer.error}.")


def events(trial: EventTrial, ours: Ours) -> Verdict:
    if trial.after is not None:
        late = "within a second" if trial.after < 1 else f"{trial.after:.0f} s later"
        return ok(f"What happens in the registry is told to the panel, {late}.")
    if trial.refused:
        return fail(
            "The registry tells the panel what happens, but with another key than the panel's.",
            in_config("notifications.endpoints[].headers",
                      f"Authorization: [Bearer KEY]  # KEY: what {ours.hook_file} holds"),
        )  # fmt: skip
    if trial.problem:
        return warn(f"Whether events come could not be tried: {trial.problem}.")
    return fail(
        "What happens in the registry is not told to the panel: pushes show only after the next full check, and "
        "pulls are not counted.",
        in_config("", notifications_section(ours)),
        Fix("If it is so already: from the registry's machine, does this answer 401?",
            f"curl -i -X POST {ours.events_url}"),
    )  # fmt: skip


def auth_section(ours: Ours) -> str:
    return (
        f"auth:\n  token:\n    realm: {ours.realm}\n    service: {ours.service}\n    issuer: {ours.issuer}\n"
        f"    rootcertbundle: /path/to/ca.crt  # a copy of {ours.ca_file}\n    autoredirect: false"
    )


def notifications_section(ours: Ours) -> str:
    return (
        f"notifications:\n  endpoints:\n    - name: panel\n      url: {ours.events_url}\n"
        f"      headers:\n        Authorization: [Bearer KEY]  # KEY: what {ours.hook_file} holds\n"
        "      timeout: 5s\n      threshold: 5\n      backoff: 10s\n"
        "      ignore:\n        mediatypes: [application/octet-stream]"
    )
