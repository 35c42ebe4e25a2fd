"""Operators keep the list of issuers; an account may add its own, with pasted keys and nobody else's."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import permissions
from accounts.common.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.id_tokens import keys
from accounts.models import AuditEvent, IdTokenIssuer, TrustPolicy
from accounts.outbound.addresses import networks_from
from accounts.principal import SYSTEM
from accounts.services import issuers
from tests.cast import Cast
from tests.factories import AccountFactory, IdTokenIssuerFactory, RegistryUserFactory, TrustPolicyFactory
from tests.parts.id_token_issuer import SigningKey
from tests.plans import explained

pytestmark = pytest.mark.django_db

KEY, OTHER = SigningKey.make("first", "ES256"), SigningKey.make("other", "ES256")
URL = "https://issuer.example.com"


def jwks(*keys: SigningKey, **more: Any) -> str:
    return json.dumps({"keys": [key.published | more for key in keys]})


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def errors(**given: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as error:
        issuers.add(by=SYSTEM, **given)
    return error.value.errors


def test_an_operator_adds_one_whose_keys_are_fetched() -> None:
    row = issuers.add(by=SYSTEM, url=f"  {URL}/ ", name="Ours", preset="gitlab")
    assert (row.url, row.name, row.preset, row.enabled, row.account) == (
        f"{URL}/",
        "Ours",
        "gitlab",
        True,
        None,
    )
    assert keys.ask_refresh(row.pk)
    event = AuditEvent.objects.get()
    assert (event.action, event.object, event.account_id) == ("issuer.added", f"Ours ({URL}/)", None)


def test_pasted_keys_are_used_at_once_and_kept_without_what_is_not_needed() -> None:
    row = issuers.add(by=SYSTEM, url=URL, pasted_jwks=jwks(KEY, x5c=["MII"]))
    assert [key.key_id for key in keys.key_set(row)] == ["first"]
    assert "x5c" not in row.pasted_jwks
    assert AuditEvent.objects.get().after["pasted_keys"] == ["first"]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "The URL must begin with https://."),
        ("http://issuer.example.com", "The URL must begin with https://."),
        ("https://me@issuer.example.com", "The URL must not contain a username or a password."),
        ("https://issuer.example.com?a=b", "An issuer’s URL has no “?”."),
        ("https://issuer.example.com/#a", "The URL must not have a fragment (#…)."),
        (f"https://issuer.example.com/{'a' * 240}", "Use at most 255 characters."),
        ("https://10.0.0.5", "The address is private (10.0.0.5); an operator can allow it with ISSUER_NETWORKS."),
        ("https://2130706433", "The host “2130706433” is neither a name nor an address."),
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_an_issuer(url: str, sentence: str) -> None:
    assert errors(url=url) == {"url": [sentence]}
    assert not actions()


def test_an_address_in_an_open_network_or_one_that_is_never_asked(settings: Settings) -> None:
    assert issuers.add(by=SYSTEM, url="https://10.0.0.5:6443", pasted_jwks=jwks(KEY))
    settings.ISSUER_NETWORKS = networks_from(["10.0.0.0/8"])
    assert issuers.add(by=SYSTEM, url="https://10.0.0.5")


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("{", "This is not JSON."),
        ('{"keys": []}', "The key set is empty."),
        (jwks(KEY, d="AA"), "This is a private key (first). Paste the public keys alone."),
        (jwks(KEY, use="enc"), "Its keys are not for signatures."),
    ],
)
def test_pasted_keys_that_cannot_be_used(pasted: str, sentence: str) -> None:
    assert errors(url=URL, pasted_jwks=pasted) == {"pasted_jwks": [sentence]}


def test_each_field_has_its_error() -> None:
    found = errors(url=URL, name="a" * 81, preset="jenkins", pasted_jwks="{")
    assert {name: len(each) for name, each in found.items()} == {"name": 1, "preset": 1, "pasted_jwks": 1}


def test_the_kind_of_a_known_service_is_known() -> None:
    url = "https://oidc.circleci.com/org/0b8a1a5e-3c86-4a4e-9a3f-5a1f0a9b6c11"
    row = issuers.add(by=SYSTEM, url=url, preset="other")
    assert row.preset == "circleci"
    assert issuers.edit(by=SYSTEM, issuer=row, preset="").preset == "circleci"


def test_one_url_may_have_several_keys_under_several_names() -> None:
    """As Kubernetes' issuer has, which is called the same in every cluster."""
    issuers.add(by=SYSTEM, url=URL, name="red", pasted_jwks=jwks(KEY))
    issuers.add(by=SYSTEM, url=URL, name="blue", pasted_jwks=jwks(OTHER))
    assert list(errors(url=URL, name=" red ", pasted_jwks=jwks(KEY))) == ["name"]
    (red, blue) = IdTokenIssuer.objects.filter(url=URL).order_by("id")
    with pytest.raises(Conflict):
        issuers.edit(by=SYSTEM, issuer=blue, name="red")
    assert issuers.add_own(by=SYSTEM, account=AccountFactory(), url=URL, name="red", pasted_jwks=jwks(KEY))
    assert red.key_text != blue.key_text


def test_what_does_not_change_is_not_recorded() -> None:
    row = issuers.add(by=SYSTEM, url=URL, name="red", pasted_jwks=jwks(KEY))
    issuers.edit(by=SYSTEM, issuer=row, name="red", pasted_jwks=jwks(KEY))
    assert actions() == ["issuer.added"]
    issuers.edit(by=SYSTEM, issuer=row, name="blue")
    issuers.edit(by=SYSTEM, issuer=row, pasted_jwks=jwks(OTHER))
    assert actions() == ["issuer.added", "issuer.edited", "issuer.edited"]
    last = AuditEvent.objects.order_by("id").last()
    assert last
    assert (last.before["pasted_keys"], last.after["pasted_keys"]) == (["first"], ["other"])
    assert last.after["name"] == "blue"


def test_an_issuer_with_pasted_keys_may_be_asked_again() -> None:
    row = issuers.add(by=SYSTEM, url=URL, pasted_jwks=jwks(KEY))
    with pytest.raises(Conflict):
        issuers.fetch_now(by=SYSTEM, issuer=row, now=timezone.now())
    issuers.edit(by=SYSTEM, issuer=row, pasted_jwks=" ")
    issuers.fetch_now(by=SYSTEM, issuer=row, now=timezone.now())
    assert row in keys.due(timezone.now())
    assert actions()[-1] == "issuer.keys_requested"


def test_what_is_due_is_known_without_reading_the_policies() -> None:
    """The schedule asks every second; most policies are of other issuers, or disabled."""
    now, user = timezone.now(), RegistryUserFactory()
    issuer, other = IdTokenIssuerFactory(), IdTokenIssuerFactory(next_try_at=now + timedelta(hours=1))
    TrustPolicy.objects.bulk_create(
        TrustPolicy(user=user, issuer=which, audience="us", disabled_at=disabled_at)
        for which, disabled_at in [(other, None)] * 5000 + [(issuer, now)] * 100
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with explained("accounts_trustpolicy") as plans:
        assert not keys.due(now).exists()
    assert "trusting_policies" in plans[0], plans[0]
    TrustPolicyFactory(user=user, issuer=issuer)
    assert list(keys.due(now)) == [issuer]


def test_fetched_keys_do_not_outlive_pasted_ones() -> None:
    """They may be of years ago, or be what the pasted ones were to replace."""
    row = issuers.add(by=SYSTEM, url=URL)
    IdTokenIssuer.objects.update(jwks=jwks(KEY), jwks_at=timezone.now(), failures=9, tried_at=timezone.now())
    issuers.edit(by=SYSTEM, issuer=row, pasted_jwks=jwks(SigningKey.make("other", "ES256")))
    issuers.edit(by=SYSTEM, issuer=row, pasted_jwks="")
    row.refresh_from_db()
    assert keys.key_set(row) == ()
    assert keys.ask_refresh(row.pk)


def test_of_two_editors_the_second_is_told() -> None:
    """Else a key that one of them has just taken out would come back with the form of the other."""
    leaked, kept = SigningKey.make("leaked", "ES256"), SigningKey.make("kept", "ES256")
    row = issuers.add(by=SYSTEM, url=URL, pasted_jwks=jwks(leaked))
    seen = issuers.version_of(row)
    issuers.edit(by=SYSTEM, issuer=IdTokenIssuer.objects.get(pk=row.pk), pasted_jwks=jwks(kept), version=seen)
    with pytest.raises(issuers.ChangedMeanwhile) as error:
        issuers.edit(by=SYSTEM, issuer=row, name="Mine", pasted_jwks=jwks(leaked), version=seen)
    assert "its pasted keys are: kept." in str(error.value)
    row.refresh_from_db()
    assert [each.key_id for each in keys.key_set(row)] == ["kept"]
    issuers.edit(by=SYSTEM, issuer=row, name="Mine", version=error.value.version)
    assert row.name == "Mine"


def test_disabled_it_is_neither_used_nor_fetched() -> None:
    policy = TrustPolicyFactory(issuer=IdTokenIssuerFactory(url=URL))
    row = policy.issuer
    issuers.disable(by=SYSTEM, issuer=row)
    issuers.disable(by=SYSTEM, issuer=row)
    assert actions() == ["issuer.disabled"]
    assert not keys.any_due()
    with pytest.raises(Conflict):
        issuers.fetch_now(by=SYSTEM, issuer=row, now=timezone.now())
    issuers.enable(by=SYSTEM, issuer=row)
    assert keys.any_due()
    assert actions() == ["issuer.disabled", "issuer.enabled"]


def test_one_that_is_trusted_is_not_deleted() -> None:
    policy = TrustPolicyFactory(issuer=IdTokenIssuerFactory(url=URL))
    with pytest.raises(Conflict):
        issuers.delete(by=SYSTEM, issuer=policy.issuer)
    policy.delete()
    issuers.delete(by=SYSTEM, issuer=policy.issuer)
    assert not IdTokenIssuer.objects.filter(url=URL).exists()
    with pytest.raises(NotFound):
        issuers.disable(by=SYSTEM, issuer=policy.issuer)


def test_an_accounts_own_issuer_has_pasted_keys_and_is_never_asked() -> None:
    account = AccountFactory()
    with pytest.raises(Invalid) as error:
        issuers.add_own(by=SYSTEM, account=account, url=URL, pasted_jwks=" ")
    assert error.value.errors == {"pasted_jwks": ["Paste the issuer’s public keys, as a JWKS."]}
    row = issuers.add_own(by=SYSTEM, account=account, url="https://10.0.0.5", pasted_jwks=jwks(KEY))
    assert AuditEvent.objects.get().account_id == account.pk
    with pytest.raises(Invalid):
        issuers.edit(by=SYSTEM, issuer=row, pasted_jwks="")
    with pytest.raises(Conflict):
        issuers.fetch_now(by=SYSTEM, issuer=row, now=timezone.now())
    TrustPolicyFactory(issuer=row)
    assert not keys.any_due()
    assert not keys.ask_refresh(row.pk)


def test_an_account_has_so_many_and_no_more() -> None:
    account = AccountFactory()
    IdTokenIssuerFactory.create_batch(issuers.OWN_MOST - 1, account=account)
    issuers.add_own(by=SYSTEM, account=account, url=URL, name="b", pasted_jwks=jwks(KEY))
    with pytest.raises(Conflict, match="at most 20 issuers"):
        issuers.add_own(by=SYSTEM, account=account, url=URL, name="c", pasted_jwks=jwks(KEY))
    assert issuers.add_own(by=SYSTEM, account=AccountFactory(), url=URL, pasted_jwks=jwks(KEY))


@pytest.mark.parametrize(
    ("who", "error"), [("owner", None), ("manager", None), ("viewer", Forbidden), ("stranger", NotFound)]
)
def test_whoever_manages_users_manages_the_accounts_own_issuers(
    cast: Cast, who: str, error: type[Exception] | None
) -> None:
    row = IdTokenIssuerFactory(account=cast.account)
    elsewhere = IdTokenIssuerFactory(account=cast.elsewhere)
    of_all = IdTokenIssuerFactory()
    if error:
        with pytest.raises(error):
            permissions.own_issuer(cast.by(who), "team-red", row.pk)
    else:
        assert permissions.own_issuer(cast.by(who), "team-red", row.pk) == row
    for other in (elsewhere, of_all):
        with pytest.raises((NotFound, Forbidden)):
            permissions.own_issuer(cast.by(who), "team-red", other.pk)


def test_the_installations_issuers_are_the_operators(cast: Cast) -> None:
    row, own = IdTokenIssuerFactory(), IdTokenIssuerFactory(account=cast.account)
    with pytest.raises(NotFound):
        permissions.issuer(cast.by("owner"), row.pk)
    cast.owner.is_staff = True
    assert permissions.issuer(cast.by("owner"), row.pk) == row
    with pytest.raises(NotFound):
        permissions.issuer(cast.by("owner"), own.pk)
