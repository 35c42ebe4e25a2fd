"""/accounts/{handle}/users/{username}/trust-policies/ and what was refused."""

import pytest
from django.conf import settings

from accounts.models import AuditEvent, IdTokenIssuer, RegistryUser, Secret, TrustPolicy
from tests import factories
from tests.cast import Cast
from tests.django.api.caller import fields_of
from tests.django.api.world import World, caller_of

RULES = {"repository_id": {"is": ["74"]}}


def base(user: RegistryUser) -> str:
    return f"accounts/team-red/users/{user.username}/"


def github() -> IdTokenIssuer:
    return IdTokenIssuer.objects.get(preset="github")


def test_a_user_without_a_password_gets_a_policy(cast: Cast) -> None:
    caller = caller_of(cast, "manager")
    made = caller.post("accounts/team-red/users/", {"description": "CI", "with_password": False}).json()
    assert made["password"] == ""
    assert not Secret.objects.exists()
    path = f"accounts/team-red/users/{made['username']}/trust-policies/"
    response = caller.post(path, {"issuer": github().pk, "rules": RULES, "note": "Release"})
    assert response.status_code == 201
    policy = response.json()
    assert policy["audience"] == settings.PUBLIC_URL
    assert policy["issuer"]["preset"] == "github"
    assert policy["enabled"] is True
    assert policy["pull_requests_may_push"] is False
    assert caller.get(path).json()["results"] == [policy]
    assert AuditEvent.objects.filter(action="trust_policy.created").count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"rules": {}}, "rules"),
        ({"rules": {"ref": {"is": ["refs/heads/main"]}}}, "rules"),
        ({"rules": [1]}, "rules"),
        ({"rules": {"repository_id": {"is": [74]}}}, "rules"),
        ({"audience": "https://elsewhere.example.com"}, "audience"),
        ({"rules": RULES | {"\ud800": {"is": ["x"]}}}, "rules"),
        ({"rules": RULES | {"\x00": {"is": ["x"]}}}, "rules"),
        ({"rules": RULES | {"ref": {"is": ["\ud800"]}}}, "rules"),
        ({"rules": None}, "rules"),
        ({"note": None}, "note"),
        ({"pull_requests_may_push": None}, "pull_requests_may_push"),
        ({"issuer": 2**70}, "issuer"),
        ({"issuer": -1}, "issuer"),
        ({"issuer": "github"}, "issuer"),
        ({"note": "x" * 201}, "note"),
        ({"created_by": 1}, "created_by"),
    ],
)
def test_a_bad_policy_is_not_made(cast: Cast, body: dict[str, object], field: str) -> None:
    user = factories.RegistryUserFactory(account=cast.account)
    response = caller_of(cast, "owner").post(
        base(user) + "trust-policies/", {"issuer": github().pk, "rules": RULES} | body
    )
    assert response.status_code == 400
    assert fields_of(response) == {field}
    assert not TrustPolicy.objects.exists()


def test_another_accounts_issuer_is_not_listed_and_not_taken(world: World) -> None:
    theirs = factories.IdTokenIssuerFactory(account=world.cast.elsewhere)
    ours = factories.IdTokenIssuerFactory(account=world.cast.account)
    caller = world.caller("owner")
    listed = {
        each["id"]: each for each in caller.get("accounts/team-red/id-token-issuers/").json()["results"]
    }
    assert theirs.pk not in listed
    assert listed[ours.pk]["own"] is True
    assert listed[github().pk]["own"] is False
    response = caller.post(base(world.user) + "trust-policies/", {"issuer": theirs.pk, "rules": RULES})
    assert fields_of(response) == {"issuer"}


def test_what_is_not_given_stays(world: World) -> None:
    caller, path = world.caller("manager"), f"{base(world.user)}trust-policies/{world.policy.pk}/"
    before = caller.get(path).json()
    changed = caller.patch(path, {"pull_requests_may_push": True, "enabled": False}).json()
    assert changed == before | {"pull_requests_may_push": True, "enabled": False}
    assert caller.delete(path).status_code == 204
    assert caller.get(path).status_code == 404


def test_a_refused_token_is_read_and_allowed(world: World) -> None:
    caller = world.caller("manager")
    (found,) = caller.get(base(world.user) + "refused-id-tokens/").json()["results"]
    assert found["claims"]["ref"] == "refs/heads/dev"
    assert found["trust_policy"] == world.policy.pk
    path = f"{base(world.user)}refused-id-tokens/{found['id']}/allow/"
    shown = {"preview_digest": found["preview_digest"]}
    assert caller.post(path, {}).status_code == 400
    assert caller.post(path, {"preview_digest": "x"}).status_code == 409
    assert caller.post(path, shown).json()["rules"]["ref"] == {"is": ["refs/heads/main", "refs/heads/dev"]}


def test_another_owner_has_to_be_said(world: World) -> None:
    row = factories.RefusedIdTokenFactory(
        policy=world.policy, claims={"repository_id": "75", "ref": "refs/heads/main"}
    )
    TrustPolicy.objects.update(issuer=github())
    caller, path = world.caller("manager"), f"{base(world.user)}refused-id-tokens/{row.pk}/allow/"
    listed = caller.get(base(world.user) + "refused-id-tokens/").json()["results"]
    (found,) = [each for each in listed if each["id"] == row.pk]
    shown = {"preview_digest": found["preview_digest"]}
    assert caller.post(path, shown).status_code == 409
    assert caller.post(path, shown | {"other_owner": True}).json()["rules"]["repository_id"] == {
        "is": ["74", "75"]
    }


def test_swapped_passwords_are_listed_and_ended(world: World) -> None:
    factories.add_password(world.user, policy=world.policy)
    caller, path = world.caller("manager"), base(world.user) + "passwords/"
    (swapped,) = [each for each in caller.get(path).json()["results"] if each["trust_policy"]]
    assert swapped["trust_policy"] == world.policy.pk
    assert caller.delete(f"{path}{swapped['id']}/").status_code == 204
    assert caller.delete(f"{path}{swapped['id']}/").status_code == 404


def test_a_viewer_reads_and_changes_nothing(world: World) -> None:
    caller, path = world.caller("viewer"), base(world.user)
    assert caller.get(f"{path}trust-policies/{world.policy.pk}/").status_code == 200
    assert caller.get(f"{path}refused-id-tokens/").status_code == 200
    assert caller.patch(f"{path}trust-policies/{world.policy.pk}/", {"note": "x"}).status_code == 403
    assert caller.delete(f"{path}trust-policies/{world.policy.pk}/").status_code == 403
    assert caller.post(f"{path}refused-id-tokens/{world.refused.pk}/allow/", {}).status_code == 403
