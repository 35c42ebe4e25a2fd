"""The pages of trust policies: a form that works without a script, a token that is read once, refusals that teach."""

import json
import re
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import IdTokenIssuer, RefusedIdToken, RegistryUser, Secret, TrustPolicy
from accounts.services import trust_policies
from tests import factories
from tests.cast import OUTSIDERS, Cast
from tests.django.api.world import snapshot

KEY = ec.generate_private_key(ec.SECP256R1())
CLAIMS = {
    "repository_id": "74",
    "repository_owner_id": "65",
    "repository": "octo-org/octo-repo",
    "ref": "refs/heads/main",
    "event_name": "push",
    "run_id": "123",
    "sub": "repo:octo-org/octo-repo:ref:refs/heads/main",
}


@pytest.fixture
def user(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


@pytest.fixture
def github(db: None) -> IdTokenIssuer:
    issuer = IdTokenIssuer.objects.get(preset="github")
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
    issuer.jwks = json.dumps({"keys": [public | {"kid": "one", "use": "sig"}]})
    issuer.save()
    return issuer


def token(**more: Any) -> str:
    now = timezone.now()
    claims = {"iss": "https://token.actions.githubusercontent.com", "aud": settings.PUBLIC_URL,
              "iat": now, "exp": now + timedelta(minutes=5)} | CLAIMS | more  # fmt: skip
    return jwt.encode(claims, KEY, "ES256", {"kid": "one"})


def address(user: RegistryUser, what: str = "trust/new/") -> str:
    return f"/a/team-red/users/{user.username}/{what}"


def save(
    cast: Cast, user: RegistryUser, issuer: IdTokenIssuer, who: str = "manager", **more: Any
) -> HttpResponse:
    form = {"preset": "github", "issuer": issuer.pk, "rows": "2", "audience": settings.PUBLIC_URL}
    return cast.client(who).post(address(user), form | more)


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def test_a_user_is_made_without_a_password_and_led_on(cast: Cast) -> None:
    client = cast.client("manager")
    form = {"description": "CI", "expiry": "never", "sign_in": "id_token", "once": "a mark"}
    response = client.post("/a/team-red/users/new/", form)
    user = RegistryUser.objects.get()
    assert response.headers["Location"] == address(user)
    assert not Secret.objects.exists()
    page = text_of(client.get(user.get_absolute_url()))
    assert "This user has no password." in page
    assert "Create a password" in page
    assert "Sign in and use it" not in page


def test_its_password_is_made_later(cast: Cast) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    Secret.objects.all().delete()
    client, path = cast.client("owner"), address(user, "password/")
    assert "Create a password for" in text_of(client.get(path))
    assert "Save the password" in text_of(client.post(path, {"once": "a mark"}))
    assert Secret.objects.filter(user=user).count() == 1


def test_presets_lead_to_a_form_with_the_users_job(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    client = cast.client("manager")
    assert "?preset=gitlab" in text_of(client.get(address(user)))
    page = text_of(client.get(address(user) + "?preset=github"))
    assert "gh api repos/OWNER/NAME --jq .id" in page
    assert "id-token: write" in page
    assert f"-u {user.username} --password-stdin" in page
    assert "?preset=gitlab" in text_of(client.get(address(user) + "?preset=nonsense"))


def test_fields_and_rows_become_rules(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    response = save(cast, user, github, claim_0="74\r\n75", claim_2="refs/heads/main\nrefs/tags/v*",
                    name_1="actor_id", how_1="is", values_1="65", note="Release")  # fmt: skip
    assert response.status_code == 302
    policy = TrustPolicy.objects.get()
    assert policy.rules == {
        "repository_id": {"is": ["74", "75"]},
        "ref": {"like": ["refs/heads/main", "refs/tags/v*"]},
        "actor_id": {"is": ["65"]},
    }
    page = text_of(cast.client("viewer").get(user.get_absolute_url()))
    assert "repository_id is 74 or 75" in page
    assert "ref matches refs/heads/main or refs/tags/v*" in page


def test_what_is_wrong_stands_at_its_field(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    response = save(cast, user, github, claim_2="refs/heads/main")
    assert response.status_code == 400
    assert "Strangers’ jobs get tokens from this issuer too" in text_of(response)
    response = save(cast, user, github, claim_0="74", name_0="aud", values_0="x", name_1="", values_1="y")
    page = text_of(response)
    assert 'id="id_values_0_error"' in page
    assert 'id="id_name_1_error"' in page
    response = save(cast, user, github, claim_0="74", name_0="repository_id", values_0="75")
    assert "repository_id is named twice." in text_of(response)
    assert not TrustPolicy.objects.exists()


def test_more_rows_come_without_a_script(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    response = save(cast, user, github, act="more", claim_0="74", name_1="actor_id")
    page = text_of(response)
    assert 'name="name_4"' in page
    assert 'value="actor_id"' in page
    assert not TrustPolicy.objects.exists()
    for rows in ("-5", "x", "1000000"):
        assert save(cast, user, github, act="more", rows=rows).status_code in (200, 400)


def test_a_policy_is_shown_and_changed(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    rules = {"repository_id": {"is": ["74"]}, "ref": {"like": ["refs/tags/v?"]}, "actor_id": {"is": ["65"]}}
    policy = factories.TrustPolicyFactory(user=user, issuer=github, rules=rules, audience=settings.PUBLIC_URL)
    client, path = cast.client("manager"), address(user, f"trust/{policy.pk}/")
    page = text_of(client.get(path))
    for value in ('value="ref"', 'value="actor_id"', ">\n74<", ">\nrefs/tags/v?<"):
        assert value in page
    form = {"issuer": github.pk, "rows": "2", "audience": settings.PUBLIC_URL, "claim_0": "75", "name_0": "ref",
            "how_0": "like", "values_0": "refs/tags/v?"}  # fmt: skip
    assert client.post(path, form).status_code == 302
    policy.refresh_from_db()
    assert policy.rules == {"repository_id": {"is": ["75"]}, "ref": {"like": ["refs/tags/v?"]}}


def test_a_form_that_is_no_longer_true_asks_again(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    client, path = cast.client("manager"), address(user, f"trust/{policy.pk}/")
    form = {"issuer": policy.issuer_id, "rows": "0", "audience": settings.PUBLIC_URL, "claim_0": "74"}
    found = re.search(r'name="version" value="(\w+)"', text_of(client.get(path)))
    assert found
    TrustPolicy.objects.update(pull_requests_may_push=True)
    response = client.post(path, form | {"version": found[1]})
    assert response.status_code == 400
    assert "ref is refs/heads/main; pull requests may push." in text_of(response)
    assert TrustPolicy.objects.get().rules == policy.rules
    again = re.search(r'name="version" value="(\w+)"', text_of(response))
    assert again
    assert client.post(path, form | {"version": again[1]}).status_code == 302
    assert TrustPolicy.objects.get().rules == {"repository_id": {"is": ["74"]}}


def test_a_pasted_token_proposes_ids_and_is_never_echoed(
    cast: Cast, user: Any, github: IdTokenIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    client = cast.client("manager")
    before = snapshot()
    pasted = token()
    wrapped = "\n".join(pasted[at : at + 76] for at in range(0, len(pasted), 76))
    response = client.post(address(user), {"act": "read", "token": wrapped})
    page = text_of(response)
    assert response.status_code == 200
    assert pasted.rpartition(".")[2] not in page + caplog.text
    assert snapshot() == before
    assert 'value="octo-org/octo-repo"' in page
    assert "Signed by https://token.actions.githubusercontent.com." in page
    assert f"Made for {settings.PUBLIC_URL}." in page
    assert "It ends in 4 minutes." in page
    assert ">\n74<" in page  # filled in
    assert "repo:octo-org/octo-repo:ref:refs/heads/main" in page
    assert "&quot;ref&quot;, &quot;refs/heads/main&quot;" in page  # offered
    assert "&quot;run_id&quot;" not in page
    assert not TrustPolicy.objects.exists()
    offered = json.dumps(["ref", "refs/heads/main"])
    assert save(cast, user, github, claim_0="74", offer=[offered, "x"], offered=[offered]).status_code == 302
    assert TrustPolicy.objects.get().rules == {
        "repository_id": {"is": ["74"]},
        "ref": {"is": ["refs/heads/main"]},
    }


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"aud": "https://github.com/octo-org"}, "“aud” is https://github.com/octo-org; the policy requires"),
        ({"exp": 1_700_000_000, "iat": 1_699_999_700}, "This ID token ended"),
        ({"iss": "https://elsewhere.example.com"}, "is not one that this account may trust"),
        ({"event_name": "pull_request"}, "It comes from a pull request"),
        ({"sub": 5}, "The ID token has no “sub”."),
        ({"aud": 5}, "The ID token has no “aud”."),
    ],
)
def test_it_says_what_would_not_hold(
    cast: Cast, user: Any, github: IdTokenIssuer, more: dict[str, Any], sentence: str
) -> None:
    claims = CLAIMS | {"iss": github.url, "aud": settings.PUBLIC_URL, "iat": 1, "exp": 2} | more
    now = int(timezone.now().timestamp())
    claims |= {} if "exp" in more else {"iat": now, "exp": now + 300}
    pasted = jwt.api_jws.encode(json.dumps(claims).encode(), KEY, "ES256", {"kid": "one"})
    page = text_of(cast.client("manager").post(address(user), {"act": "read", "token": pasted}))
    assert sentence in page


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "refs/heads/\udfff", "x" * 400])
@pytest.mark.parametrize("claim", ["iss", "sub", "ref", "repository_id", "repository", "aud"])
def test_text_that_no_page_or_database_holds_is_shown_without_it(
    cast: Cast, user: Any, github: IdTokenIssuer, claim: str, odd: str
) -> None:
    claims = CLAIMS | {"iss": github.url, "aud": settings.PUBLIC_URL} | {claim: odd, odd: odd}
    pasted = jwt.api_jws.encode(json.dumps(claims).encode(), KEY, "ES256", {"kid": "one"})
    response = cast.client("manager").post(address(user), {"act": "read", "token": pasted})
    assert response.status_code == 200
    assert "\x00" not in text_of(response)


def test_nor_does_a_box_that_no_form_of_ours_sent(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    box = json.dumps(["ref", "\ud800"])
    response = save(cast, user, github, offer=[box], offered=[box])
    assert response.status_code == 400
    assert not TrustPolicy.objects.exists()


def test_a_wrong_signature_and_missing_keys_are_told_apart(
    cast: Cast, user: Any, github: IdTokenIssuer
) -> None:
    client = cast.client("manager")
    other = ec.generate_private_key(ec.SECP256R1())
    claims = CLAIMS | {"iss": github.url, "aud": settings.PUBLIC_URL}
    forged = jwt.encode(claims, other, "ES256", {"kid": "one"})
    assert "The signature of the ID token is wrong." in text_of(
        client.post(address(user), {"act": "read", "token": forged})
    )
    IdTokenIssuer.objects.update(jwks="")
    assert "The keys of its issuer have not arrived yet" in text_of(
        client.post(address(user), {"act": "read", "token": forged})
    )


@pytest.mark.parametrize("text", ["", "no token", "eyJhbGciOiJub25lIn0.e30.", "eyJ" + "x" * 30_000, "a.b.c"])
def test_what_is_no_token_is_refused_and_not_written_back(cast: Cast, user: Any, text: str) -> None:
    response = cast.client("manager").post(address(user), {"act": "read", "token": text})
    assert response.status_code == 400
    assert not text or text not in text_of(response)


def test_disabling_enabling_and_deleting_ask_first(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = factories.TrustPolicyFactory(user=user, issuer=github, note="Release jobs")
    client = cast.client("manager")
    for act, left in (("disable", False), ("enable", True)):
        if act == "disable":
            assert "Release jobs" in text_of(client.get(address(user, f"trust/{policy.pk}/{act}/")))
        assert client.post(address(user, f"trust/{policy.pk}/{act}/")).status_code == 302
        policy.refresh_from_db()
        assert (policy.disabled_at is None) is left
    assert client.post(address(user, f"trust/{policy.pk}/delete/")).status_code == 302
    assert not TrustPolicy.objects.exists()


def refusal(policy: TrustPolicy, **more: Any) -> RefusedIdToken:
    return factories.RefusedIdTokenFactory(
        policy=policy, **{"claims": CLAIMS | {"ref": "refs/heads/dev"}} | more
    )


@pytest.fixture
def policy(user: RegistryUser, github: IdTokenIssuer) -> TrustPolicy:
    rules = {"repository_id": {"is": ["74"]}, "ref": {"is": ["refs/heads/main"]}}
    return factories.TrustPolicyFactory(user=user, issuer=github, rules=rules, audience=settings.PUBLIC_URL)


def test_a_refused_token_is_one_click_from_allowed(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    row, client = refusal(policy), cast.client("manager")
    page = text_of(client.get(address(user, "refused-tokens/")))
    assert "Adds ref refs/heads/dev to the policy." in page
    assert "octo-org/octo-repo" in page
    path, shown = address(user, f"refused-tokens/{row.pk}/allow/"), trust_policies.preview_digest(row)
    assert f'name="preview_digest" value="{shown}"' in page
    client.post(path)
    policy.refresh_from_db()
    assert policy.rules["ref"] == {"is": ["refs/heads/main"]}
    assert client.post(path, {"preview_digest": shown}).status_code == 302
    policy.refresh_from_db()
    assert policy.rules["ref"] == {"is": ["refs/heads/main", "refs/heads/dev"]}
    page = text_of(client.get(address(user, "refused-tokens/")))
    assert "allowed now" in page
    assert client.post(address(user, f"refused-tokens/{row.pk}/allow/")).status_code == 302


def test_so_is_a_pull_request(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    row = refusal(policy, kind=RefusedIdToken.PULL_REQUEST, claims=CLAIMS)
    shown = trust_policies.preview_digest(row)
    cast.client("manager").post(address(user, f"refused-tokens/{row.pk}/allow/"), {"preview_digest": shown})
    policy.refresh_from_db()
    assert policy.pull_requests_may_push


def cells(page: str) -> list[tuple[str, str, str]]:
    """Each claim of the first table, what the token says, and what the policy wants."""
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2].partition("</tbody>")[0], re.DOTALL)
    plain = [[" ".join(re.sub("<[^>]+>", " ", each).split()) for each in re.findall(r"<td.*?</td>", row, re.DOTALL)]
             for row in rows]  # fmt: skip
    return [(claim, was, wanted) for claim, was, wanted in plain]


def test_the_claims_that_make_a_pull_request_stand_first(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    pulled = CLAIMS | {"event_name": "pull_request", "head_ref": "try-this"}
    refusal(policy, kind=RefusedIdToken.PULL_REQUEST, claims=pulled)
    client = cast.client("manager")
    assert cells(text_of(client.get(address(user, "refused-tokens/"))))[:3] == [
        ("event_name", "pull_request", "no pull request"),
        ("head_ref", "try-this", "no pull request"),
        ("repository_id", "74", "74"),
    ]
    TrustPolicy.objects.update(pull_requests_may_push=True)
    page = text_of(client.get(address(user, "refused-tokens/")))
    assert cells(page)[0] == ("repository_id", "74", "74")
    assert "allowed now" in page


def test_another_audience_is_shown_beside_the_policys(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    refusal(policy, kind=RefusedIdToken.AUDIENCE, claims=CLAIMS | {"aud": "https://other.example.com"})
    page = text_of(cast.client("manager").get(address(user, "refused-tokens/")))
    assert cells(page)[0] == ("aud", "https://other.example.com", settings.PUBLIC_URL)
    assert f"ask for its token with the audience {settings.PUBLIC_URL}" in page


def test_a_stranger_is_not_allowed_by_one_click(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    row = refusal(policy, claims=CLAIMS | {"repository_id": "99"})
    client, path = cast.client("manager"), address(user, f"refused-tokens/{row.pk}/allow/")
    for answer in (client.get(path), client.post(path)):
        assert "comes from a job of somebody" in text_of(answer)
    policy.refresh_from_db()
    assert policy.rules["repository_id"] == {"is": ["74"]}
    shown = trust_policies.preview_digest(row)
    assert client.post(path, {"other_owner": "yes", "preview_digest": shown}).status_code == 302
    policy.refresh_from_db()
    assert policy.rules["repository_id"] == {"is": ["74", "99"]}


def test_what_no_button_helps_is_said(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    refusal(policy, kind=RefusedIdToken.ENDED)
    gone = refusal(policy)
    RefusedIdToken.objects.filter(pk=gone.pk).update(policy=None)
    client = cast.client("manager")
    page = text_of(client.get(address(user, "refused-tokens/")))
    assert "the job has to ask for another token" in page
    assert "is no longer there" in page
    assert client.get(address(user, f"refused-tokens/{gone.pk}/allow/")).status_code == 302


def test_swapped_passwords_are_listed_and_ended(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    ends = timezone.now() + timedelta(minutes=40)
    made = factories.add_password(user, policy=policy, expires_at=ends)
    secret, client = Secret.objects.get(hint=made[-4:]), cast.client("manager")
    assert "Passwords that jobs got for an ID token" in text_of(client.get(user.get_absolute_url()))
    path = address(user, f"passwords/{secret.pk}/end/")
    assert "A job got it for its ID token" in text_of(client.get(path))
    assert client.post(path).status_code == 302
    assert "Passwords that jobs got" not in text_of(client.get(user.get_absolute_url()))


def test_a_viewer_sees_and_changes_nothing(cast: Cast, user: Any, policy: TrustPolicy) -> None:
    row, client = refusal(policy), cast.client("viewer")
    assert "Trust a CI job" not in text_of(client.get(user.get_absolute_url()))
    page = text_of(client.get(address(user, "refused-tokens/")))
    assert "refs/heads/dev" in page
    assert ">Allow<" not in page
    assert client.get(address(user)).status_code == 403
    assert client.get(address(user, f"trust/{policy.pk}/")).status_code == 403
    assert client.post(address(user, f"refused-tokens/{row.pk}/allow/")).status_code == 403


@pytest.mark.parametrize("who", OUTSIDERS)
def test_outsiders_find_nothing(cast: Cast, user: Any, policy: TrustPolicy, who: str) -> None:
    client = cast.client(who)
    for what in ("trust/new/", f"trust/{policy.pk}/", "refused-tokens/"):
        assert client.get(address(user, what)).status_code == (302 if who == "anonymous" else 404)
