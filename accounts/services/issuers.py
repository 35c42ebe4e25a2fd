"""Issuers of ID tokens: the installation's, which operators keep, and an account's own, whose keys are pasted."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.audit_actions import AuditAction
from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.common.translation import translate
from accounts.id_tokens import jwks
from accounts.id_tokens.networks import issuer_networks
from accounts.id_tokens.presets import PRESETS, preset_of_issuer
from accounts.models import Account, IdTokenIssuer, TrustPolicy
from accounts.models.id_token_issuer import URL_MAX
from accounts.names import clean_title
from accounts.outbound.addresses import Refused, refusal, target
from accounts.principal import Principal
from accounts.services import swapped_passwords

NAME_MAX = 80
OWN_MOST = 20  # of an account


@transaction.atomic
def add(*, by: Principal, url: str, name: str = "", preset: str = "", pasted_jwks: str = "") -> IdTokenIssuer:
    """Add one that every account may trust; its keys are fetched unless some are pasted. Raise Invalid, Conflict."""
    return _add(by, IdTokenIssuer(), url, name=name, preset=preset, pasted_jwks=pasted_jwks)


@transaction.atomic
def add_own(
    *, by: Principal, account: Account, url: str, pasted_jwks: str, name: str = "", preset: str = ""
) -> IdTokenIssuer:
    """Add one that this account alone may trust, with pasted keys. Raise Invalid, Conflict."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)  # nobody else counts meanwhile
    if IdTokenIssuer.objects.filter(account=account).count() >= OWN_MOST:
        raise Conflict.on("", _("An account has at most %(most)s issuers of its own.") % {"most": OWN_MOST})
    return _add(by, IdTokenIssuer(account=account), url, name=name, preset=preset, pasted_jwks=pasted_jwks)


class IssuerChange(TypedDict, total=False):
    name: str
    preset: str
    pasted_jwks: str  # "": the keys are fetched, of the installation's issuers alone


class ChangedMeanwhile(Conflict):
    """`version`: of what the issuer is by now, for whoever wants to replace that."""

    def __init__(self, issuer: IdTokenIssuer) -> None:
        self.version = version_of(issuer)
        names = ", ".join(key.key_id or "…" for key in jwks.parsed(issuer.pasted_jwks)) or "–"
        sentence = _(
            "Somebody has changed the issuer in the meantime. Its name is now “%(name)s”, and its pasted keys "
            "are: %(keys)s. Save again to replace it with your version."
        )
        super().__init__({"": [sentence % {"name": issuer.name, "keys": names}]})


def version_of(issuer: IdTokenIssuer) -> str:
    """Return a fingerprint of what may be edited in it."""
    said = json.dumps([issuer.name, issuer.preset, issuer.pasted_jwks])
    return sha256(said.encode()).hexdigest()[:32]


@transaction.atomic
def edit(
    *,
    by: Principal,
    issuer: IdTokenIssuer,
    enabled: bool | None = None,
    version: str | None = None,
    **change: Unpack[IssuerChange],
) -> IdTokenIssuer:
    """Change what is given. Raise Invalid, Conflict, NotFound.

    `version`: of what was shown. Raise ChangedMeanwhile instead of replacing what somebody else wrote meanwhile: a key
    that was just taken out must not come back.
    """
    _lock(issuer)
    if version not in (None, version_of(issuer)):
        raise ChangedMeanwhile(issuer)
    before = _facts(issuer)
    pasted_before, keys_before = issuer.pasted_jwks, issuer.pasted_jwks or issuer.jwks
    _set(issuer, **change)
    if _facts(issuer) != before or issuer.pasted_jwks != pasted_before:
        issuer.save(update_fields=["name", "preset", "pasted_jwks"])
        if bool(issuer.pasted_jwks) != bool(pasted_before):
            _forget_fetched(issuer)
        if issuer.preset != before["preset"] or not jwks.holds_all(
            issuer.pasted_jwks or issuer.jwks, keys_before
        ):
            swapped_passwords.end_all_of_issuer(issuer)  # by now those jobs might not be let in
        _record(by, AuditAction.ISSUER_EDITED, issuer, before=before, after=_facts(issuer))
    return issuer if enabled is None else _switch(by, issuer, enabled=enabled)


@transaction.atomic
def disable(*, by: Principal, issuer: IdTokenIssuer) -> IdTokenIssuer:
    """Refuse its tokens from now on, and the passwords that jobs got for them. Its keys are fetched no more."""
    return _switch(by, issuer, enabled=False)


@transaction.atomic
def enable(*, by: Principal, issuer: IdTokenIssuer) -> IdTokenIssuer:
    return _switch(by, issuer, enabled=True)


@transaction.atomic
def delete(*, by: Principal, issuer: IdTokenIssuer) -> None:
    """Raise Conflict while a trust policy names it."""
    _lock(issuer)
    if TrustPolicy.objects.filter(issuer=issuer).exists():
        raise Conflict.on("", _("Users trust it. Disable it, or have their trust policies deleted first."))
    _record(by, AuditAction.ISSUER_DELETED, issuer, before=_facts(issuer))
    issuer.delete()


@transaction.atomic
def fetch_now(*, by: Principal, issuer: IdTokenIssuer, now: datetime) -> IdTokenIssuer:
    """Have its keys fetched within seconds, also of one that did not answer. Raise Conflict, NotFound."""
    _lock(issuer)
    if issuer.account_id or issuer.pasted_jwks:
        raise Conflict.on("", _("Its keys are pasted, so there is nothing to fetch."))
    if not issuer.enabled:
        raise Conflict.on("", _("It is disabled."))
    issuer.asked_at = issuer.next_try_at = now
    issuer.save(update_fields=["asked_at", "next_try_at"])
    _record(by, AuditAction.ISSUER_KEYS_REQUESTED, issuer)
    return issuer


def _forget_fetched(issuer: IdTokenIssuer) -> None:
    """Keys that were fetched long ago do not come back to life when pasted ones are taken out again."""
    issuer.jwks = issuer.problem = ""
    issuer.jwks_at = issuer.tried_at = issuer.next_try_at = None
    issuer.failures = 0
    issuer.save(update_fields=["jwks", "problem", "jwks_at", "tried_at", "next_try_at", "failures"])


def _add(
    by: Principal, issuer: IdTokenIssuer, url: str, *, name: str, preset: str, pasted_jwks: str
) -> IdTokenIssuer:
    issuer.url = _url(url, fetched=not pasted_jwks.strip())
    _set(issuer, name=name, preset=preset, pasted_jwks=pasted_jwks)
    issuer.save()
    _record(by, AuditAction.ISSUER_ADDED, issuer, after=_facts(issuer))
    return issuer


def _set(issuer: IdTokenIssuer, **change: Unpack[IssuerChange]) -> None:
    """Check what is given, all of it, and set it. Raise Invalid, Conflict."""
    errors: dict[str, list[str]] = {}
    if "name" in change:
        issuer.name = clean_title(change["name"])
        if len(issuer.name) > NAME_MAX:
            errors["name"] = [_("Use at most %(most)s characters.") % {"most": NAME_MAX}]
    if "preset" in change:
        known = preset_of_issuer(issuer.url)
        issuer.preset = known.slug if known else change["preset"]
        if issuer.preset and issuer.preset not in PRESETS:
            errors["preset"] = [_("Select one of the kinds.")]
    if "pasted_jwks" in change:
        try:
            issuer.pasted_jwks = _pasted(issuer, change["pasted_jwks"])
        except Invalid as error:
            errors |= error.errors
    if errors:
        raise Invalid(errors)
    same = IdTokenIssuer.objects.filter(account=issuer.account, url=issuer.url, name=issuer.name)
    if same.exclude(pk=issuer.pk).exists():
        raise Conflict.on(
            "name", _("This issuer is already in the list. Give it another name to tell the two apart.")
        )


def _pasted(issuer: IdTokenIssuer, text: str) -> str:
    """Return the keys as they are stored; "" for none, which an account's own issuer may not have. Raise Invalid."""
    if not text.strip():
        if issuer.account_id:
            raise Invalid.on("pasted_jwks", _("Paste the issuer’s public keys, as a JWKS."))
        return ""
    try:
        return jwks.read_pasted(text).text
    except jwks.Unusable as error:
        raise Invalid.on("pasted_jwks", translate(error.text)) from None


def _url(text: str, *, fetched: bool) -> str:
    """Return the URL as it was given, since tokens name it so, but for spaces around it. Raise Invalid.

    Where its keys are to be fetched, an address in it must be one that may be asked; a name is looked up later.
    """
    url = text.strip()
    if len(url) > URL_MAX:
        raise Invalid.on("url", _("Use at most %(most)s characters.") % {"most": URL_MAX})
    try:
        found = target(url)
    except Refused as refused:
        raise Invalid.on("url", translate(refused.text)) from None
    if found.scheme != "https":
        raise Invalid.on("url", _("The URL must begin with https://."))
    if "?" in url:
        raise Invalid.on("url", _("An issuer’s URL has no “?”."))
    if fetched and found.address and (reason := refusal(found.address, issuer_networks())):
        raise Invalid.on("url", translate(reason))
    return url


def _switch(by: Principal, issuer: IdTokenIssuer, *, enabled: bool) -> IdTokenIssuer:
    _lock(issuer)
    if issuer.enabled != enabled:
        issuer.enabled = enabled
        issuer.save(update_fields=["enabled"])
        _record(by, AuditAction.ISSUER_ENABLED if enabled else AuditAction.ISSUER_DISABLED, issuer)
    return issuer


def _lock(issuer: IdTokenIssuer) -> None:
    """Lock the row and read it again. Raise NotFound for one that somebody else deleted meanwhile."""
    try:
        issuer.refresh_from_db(from_queryset=IdTokenIssuer.objects.select_for_update())
    except IdTokenIssuer.DoesNotExist:
        raise NotFound from None


def _facts(issuer: IdTokenIssuer) -> dict[str, Any]:
    """Return what the audit log keeps: of the keys their names, which are enough to tell them apart."""
    names = [key.key_id or "" for key in jwks.parsed(issuer.pasted_jwks)] if issuer.pasted_jwks else []
    return {"url": issuer.url, "name": issuer.name, "preset": issuer.preset, "pasted_keys": names[:20]}


def _record(
    by: Principal,
    action: AuditAction,
    issuer: IdTokenIssuer,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    label = f"{issuer.name} ({issuer.url})" if issuer.name else issuer.url
    audit.record(by=by, action=action, kind="id_token_issuer", id=issuer.pk, label=label, account=issuer.account,
                 before=before, after=after)  # fmt: skip
