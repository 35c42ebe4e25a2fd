"""An account's own issuers of ID tokens: added by their keys, trusted by its users alone."""

from typing import Any

import pytest

from accounts.models import AuditEvent, IdTokenIssuer
from tests import factories
from tests.cast import OUTSIDERS, Cast
from tests.django.api.caller import fields_of
from tests.django.api.world import caller_of

PAGE, API = "/a/team-red/issuers/", "accounts/team-red/id-token-issuers/"
CLUSTER = "https://kubernetes.default.svc.cluster.local"


@pytest.fixture
def issuer(cast: Cast) -> Any:
    return factories.IdTokenIssuerFactory(
        account=cast.account, url=CLUSTER, name="Cluster", preset="kubernetes", pasted_jwks=factories.jwks()
    )


def test_it_is_added_on_the_way_to_a_policy(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    client, back = cast.client("manager"), f"/a/team-red/users/{user.username}/trust/new/"
    form = client.get(f"{back}?preset=kubernetes").content.decode()
    assert "No issuer of this kind is known here yet" in form
    page = client.get(f"{PAGE}new/?preset=kubernetes&next={back}").content.decode()
    assert '<option value="kubernetes" selected>' in page
    assert f'name="next" value="{back}"' in page
    sent = {
        "url": CLUSTER,
        "name": "Cluster",
        "preset": "kubernetes",
        "pasted_jwks": factories.jwks(),
        "next": back,
    }
    response = client.post(f"{PAGE}new/", sent)
    assert response.headers["Location"] == f"{back}?preset=kubernetes"
    made = IdTokenIssuer.objects.get(account=cast.account)
    assert AuditEvent.objects.filter(action="issuer.added", account_id=cast.account.pk).exists()
    assert f'<option value="{made.pk}"' in client.get(f"{back}?preset=kubernetes").content.decode()


def test_the_list_of_issuers_leads_back_to_the_policy_too(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    client, back = cast.client("manager"), f"/a/team-red/users/{user.username}/trust/new/"
    assert f"{PAGE}?next={back}" in client.get(back).content.decode()
    page = client.get(f"{PAGE}?next={back}").content.decode()
    assert f'href="{PAGE}new/?next={back}"' in page
    assert f'<a href="{back}">Trust a CI job</a>' in page
    assert "next=" not in client.get(f"{PAGE}?next=//evil.example.com/").content.decode()


def test_nobody_is_led_elsewhere(cast: Cast) -> None:
    sent = {"url": CLUSTER, "pasted_jwks": factories.jwks(), "next": "https://evil.example.com/"}
    response = cast.client("manager").post(f"{PAGE}new/", sent)
    assert response.headers["Location"] == PAGE


@pytest.mark.parametrize(
    ("change", "word"),
    [({"pasted_jwks": ""}, "id_pasted_jwks_error"), ({"pasted_jwks": "{}"}, "id_pasted_jwks_error"),
     ({"url": "http://plain.example.com"}, "id_url_error"), ({"preset": "x"}, "id_preset_error")],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field(cast: Cast, change: dict[str, str], word: str) -> None:
    sent = {"url": CLUSTER, "pasted_jwks": factories.jwks(), **change}
    response = cast.client("owner").post(f"{PAGE}new/", sent)
    assert response.status_code == 400
    assert word in response.content.decode()
    assert not IdTokenIssuer.objects.exclude(account=None)


def test_new_keys_are_pasted(cast: Cast, issuer: Any) -> None:
    client, keys = cast.client("manager"), factories.jwks()
    assert "Cluster" in client.get(f"{PAGE}{issuer.pk}/").content.decode()
    form = {"name": "Cluster", "preset": "kubernetes", "pasted_jwks": keys}
    stale = client.post(f"{PAGE}{issuer.pk}/", form | {"version": "of yesterday"})
    assert stale.status_code == 400
    assert "Somebody has changed the issuer in the meantime." in stale.content.decode()
    assert client.post(f"{PAGE}{issuer.pk}/", form).status_code == 302
    before, issuer.pasted_jwks = issuer.pasted_jwks, ""
    issuer.refresh_from_db()
    assert issuer.pasted_jwks not in ("", before)
    assert client.post(f"{PAGE}{issuer.pk}/", form | {"pasted_jwks": ""}).status_code == 400


def test_it_is_disabled_enabled_and_deleted(cast: Cast, issuer: Any) -> None:
    client = cast.client("manager")
    assert "No user trusts it." in client.get(f"{PAGE}{issuer.pk}/disable/").content.decode()
    for act, enabled in (("disable", False), ("enable", True)):
        assert client.post(f"{PAGE}{issuer.pk}/{act}/").status_code == 302
        issuer.refresh_from_db()
        assert issuer.enabled is enabled
    policy = factories.TrustPolicyFactory(
        user__account=cast.account, issuer=issuer, rules={"kubernetes.io.namespace": {"is": ["production"]}}
    )
    assert "1 user trusts it" in client.get(f"{PAGE}{issuer.pk}/disable/").content.decode()
    assert ">1<" in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}{issuer.pk}/delete/").status_code == 200
    client.post(f"{PAGE}{issuer.pk}/delete/")
    assert IdTokenIssuer.objects.filter(pk=issuer.pk).exists()
    policy.delete()
    client.post(f"{PAGE}{issuer.pk}/delete/")
    assert not IdTokenIssuer.objects.filter(pk=issuer.pk).exists()


def test_the_api_does_the_same(cast: Cast) -> None:
    caller = caller_of(cast, "manager")
    body = {"url": CLUSTER, "preset": "kubernetes", "pasted_jwks": factories.jwks()}
    made = caller.post(API, body).json()
    assert (made["own"], made["enabled"], made["preset"]) == (True, True, "kubernetes")
    path = f"{API}{made['id']}/"
    assert caller.patch(path, {"enabled": False}).json()["enabled"] is False
    assert made["id"] in [each["id"] for each in caller.get(API).json()["results"]]
    assert fields_of(caller.patch(path, {"pasted_jwks": "x"})) == {"pasted_jwks"}
    assert caller.delete(path).status_code == 204
    assert caller.delete(path).status_code == 404


def test_the_installations_are_looked_at_and_not_changed(cast: Cast) -> None:
    github = IdTokenIssuer.objects.get(preset="github")
    client, caller = cast.client("owner"), caller_of(cast, "owner")
    assert github.url in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}{github.pk}/").status_code == 404
    assert caller.patch(f"{API}{github.pk}/", {"enabled": False}).status_code == 404


def test_a_viewer_looks(cast: Cast, issuer: Any) -> None:
    client = cast.client("viewer")
    page = client.get(PAGE).content.decode()
    assert "Cluster" in page
    assert "Add issuer" not in page
    assert client.get(f"{PAGE}{issuer.pk}/").status_code == 403
    assert client.post(f"{PAGE}new/", {}).status_code == 403


@pytest.mark.parametrize("who", OUTSIDERS)
def test_outsiders_find_nothing(cast: Cast, issuer: Any, who: str) -> None:
    for path in (PAGE, f"{PAGE}new/", f"{PAGE}{issuer.pk}/"):
        assert cast.client(who).get(path).status_code == (302 if who == "anonymous" else 404)
