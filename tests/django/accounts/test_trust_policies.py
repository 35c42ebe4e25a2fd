"""Trust policies: what is taken, who is asked, and what Allow adds."""

from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.common.errors import Conflict, Invalid, NotFound
from accounts.id_tokens.rules import match
from accounts.models import AuditEvent, IdTokenIssuer, RefusedIdToken, RegistryUser, Secret, TrustPolicy
from accounts.services import trust_policies
from accounts.services.trust_policies import ChangedMeanwhile, InvalidRules
from tests import factories
from tests.cast import Cast

RULES = {"repository_id": {"is": ["74"]}, "ref": {"like": ["refs/tags/v*"]}}


@pytest.fixture
def user(cast: Cast) -> Any:
    return factories.RegistryUserFactory(account=cast.account, description="CI deploy")


@pytest.fixture
def github(db: None) -> IdTokenIssuer:
    return IdTokenIssuer.objects.get(preset="github")


def create(cast: Cast, user: RegistryUser, issuer: IdTokenIssuer, **more: Any) -> TrustPolicy:
    return trust_policies.create(by=cast.by("manager"), user=user, issuer=issuer, **{"rules": RULES} | more)


def refused(policy: TrustPolicy, **more: Any) -> Any:
    claims = {"repository_id": "74", "ref": "refs/heads/main", "event_name": "push"}
    return factories.RefusedIdTokenFactory(policy=policy, **{"claims": claims} | more)


def allow(cast: Cast, row: RefusedIdToken, **more: Any) -> TrustPolicy:
    """As somebody does who was shown the row as it is."""
    shown = trust_policies.preview_digest(row)
    return trust_policies.allow(by=cast.by("manager"), refused=row, **{"preview_digest": shown} | more)


def test_it_is_made_for_our_audience_and_audited(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github, note=" Release  jobs ")
    assert policy.audience == settings.PUBLIC_URL
    assert (policy.note, policy.pull_requests_may_push) == ("Release jobs", False)
    assert policy.created_by == cast.manager
    event = AuditEvent.objects.get(action="trust_policy.created")
    assert event.object_id == user.username
    assert event.after["rules"] == RULES


def test_the_account_and_the_registry_are_audiences_too(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    for audience in (f"{settings.PUBLIC_URL}/a/team-red", settings.REGISTRY_HOST):
        assert create(cast, user, github, audience=audience).audience == audience
    with pytest.raises(Invalid) as error:
        create(cast, user, github, audience="https://elsewhere.example.com")
    assert set(error.value.errors) == {"audience"}


@pytest.mark.parametrize("rules", [{}, [], "x", {"ref": {"is": ["refs/heads/main"]}}, {"aud": {"is": ["x"]}}])
def test_rules_that_let_strangers_in_are_refused(
    cast: Cast, user: Any, github: IdTokenIssuer, rules: Any
) -> None:
    with pytest.raises(InvalidRules) as error:
        create(cast, user, github, rules=rules)
    assert set(error.value.errors) == {"rules"}
    assert not TrustPolicy.objects.exists()


def test_another_accounts_issuer_is_none(cast: Cast, user: Any) -> None:
    theirs = factories.IdTokenIssuerFactory(account=cast.elsewhere)
    ours = factories.IdTokenIssuerFactory(account=cast.account)
    disabled = factories.IdTokenIssuerFactory(enabled=False)
    for issuer in (theirs, disabled):
        with pytest.raises(Invalid) as error:
            create(cast, user, issuer)
        assert set(error.value.errors) == {"issuer"}
    assert create(cast, user, ours).issuer == ours


def test_a_user_has_twenty(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    for _number in range(trust_policies.POLICIES_MOST):
        create(cast, user, github)
    with pytest.raises(Conflict):
        create(cast, user, github)


def test_editing_keeps_what_is_not_given(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github, note="Release jobs")
    trust_policies.edit(by=cast.by("owner"), policy=policy, pull_requests_may_push=True)
    policy.refresh_from_db()
    assert (policy.rules, policy.note, policy.pull_requests_may_push) == (RULES, "Release jobs", True)
    trust_policies.edit(by=cast.by("owner"), policy=policy, note="Release jobs")
    assert AuditEvent.objects.filter(action="trust_policy.edited").count() == 1
    with pytest.raises(InvalidRules):
        trust_policies.edit(by=cast.by("owner"), policy=policy, rules={"ref": {"is": ["refs/heads/main"]}})
    with pytest.raises(Invalid):
        trust_policies.edit(by=cast.by("owner"), policy=policy, note="x" * 201)


def test_it_is_disabled_enabled_and_deleted(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy, by = create(cast, user, github), cast.by("owner")
    for enabled in (False, False, True, True):
        trust_policies.edit(by=by, policy=policy, enabled=enabled)
        policy.refresh_from_db()
        assert (policy.disabled_at is None) is enabled
    assert AuditEvent.objects.filter(action="trust_policy.disabled").count() == 1
    assert AuditEvent.objects.filter(action="trust_policy.enabled").count() == 1
    factories.add_password(user, policy=policy)
    again = TrustPolicy.objects.get()
    trust_policies.delete(by=by, policy=policy)
    assert not Secret.objects.exclude(policy=None)
    with pytest.raises(NotFound):
        trust_policies.disable(by=by, policy=again)


def test_allow_adds_just_the_value_that_was_missing(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github)
    row = refused(policy, claims={"repository_id": "74", "ref": "refs/heads/a[b]"})
    allow(cast, row)
    policy.refresh_from_db()
    assert policy.rules["repository_id"] == RULES["repository_id"]
    assert policy.rules["ref"]["like"][0] == "refs/tags/v*"
    assert not match(policy.rules, row.claims)
    assert match(policy.rules, row.claims | {"ref": "refs/heads/ab"})  # the value, and not what it is like
    event = AuditEvent.objects.get(action="trust_policy.allowed")
    assert event.before["rules"] == RULES


def test_a_pull_request_is_switched_on(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github)
    allow(cast, refused(policy, kind=RefusedIdToken.PULL_REQUEST))
    policy.refresh_from_db()
    assert policy.pull_requests_may_push
    assert policy.rules == RULES


def test_another_owner_is_allowed_only_when_that_is_said(
    cast: Cast, user: Any, github: IdTokenIssuer
) -> None:
    policy = create(cast, user, github, rules={"repository_id": {"is": ["74"]}})
    row = refused(policy, claims={"repository_id": "75"})
    assert trust_policies.names_other_owner(policy, row)
    with pytest.raises(Conflict):
        allow(cast, row)
    allow(cast, row, other_owner=True)
    policy.refresh_from_db()
    assert policy.rules == {"repository_id": {"is": ["74", "75"]}}


@pytest.mark.parametrize("kind", [RefusedIdToken.ENDED, RefusedIdToken.AUDIENCE, RefusedIdToken.LIFETIME])
def test_what_no_policy_can_allow_is_said(cast: Cast, user: Any, github: IdTokenIssuer, kind: str) -> None:
    policy = create(cast, user, github)
    with pytest.raises(Conflict):
        allow(cast, refused(policy, kind=kind))
    assert not AuditEvent.objects.filter(action="trust_policy.allowed")


def test_a_claim_that_is_missing_cannot_be_added(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github)
    with pytest.raises(Conflict) as error:
        allow(cast, refused(policy, claims={"repository_id": "74"}))
    assert "ref" in str(error.value)


def test_nor_can_a_claim_that_is_empty(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github)
    row = refused(policy, claims={"repository_id": "74", "ref": ["", ""]})
    assert trust_policies.preview_digest(row) == ""
    with pytest.raises(Conflict) as error:
        allow(cast, row)
    assert "The token has no ref" in str(error.value)
    allow(cast, refused(policy, claims={"repository_id": "74", "ref": ["", "refs/heads/dev"]}))
    policy.refresh_from_db()
    assert policy.rules["ref"] == {"like": ["refs/tags/v*", "refs/heads/dev"]}


def test_what_was_pushed_out_meanwhile_is_gone(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    row = refused(create(cast, user, github))
    shown = trust_policies.preview_digest(row)
    RefusedIdToken.objects.all().delete()
    with pytest.raises(NotFound):
        allow(cast, row, preview_digest=shown)


def test_of_two_editors_the_second_is_told(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    """Else a rule that one of them has just narrowed would be as wide again as the other was shown it."""
    policy, by = create(cast, user, github), cast.by("owner")
    seen = trust_policies.version_of(policy)
    narrow = {"repository_id": {"is": ["74"]}, "ref": {"is": ["refs/tags/v1"]}}
    trust_policies.edit(by=by, policy=TrustPolicy.objects.get(), rules=narrow, version=seen)
    with pytest.raises(ChangedMeanwhile) as error:
        trust_policies.edit(by=by, policy=policy, rules=RULES, note="mine", version=seen)
    assert "ref is refs/tags/v1" in str(error.value)
    assert TrustPolicy.objects.get().rules == narrow
    trust_policies.edit(by=by, policy=policy, rules=RULES, version=error.value.version)
    assert TrustPolicy.objects.get().rules == RULES


def test_without_its_policy_there_is_nothing_to_allow(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    row = refused(create(cast, user, github))
    row.policy = None
    with pytest.raises(Conflict):
        allow(cast, row)


def test_what_nobody_was_shown_is_not_allowed(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github, rules={"repository_id": {"is": ["74"]}})
    row = refused(policy, claims={"repository_id": "75"})
    shown = trust_policies.preview_digest(row)
    RefusedIdToken.objects.update(claims={"repository_id": "666"})  # the next stranger's
    for digest in (shown, ""):
        with pytest.raises(Conflict):
            allow(cast, row, preview_digest=digest, other_owner=True)
    policy.refresh_from_db()
    assert policy.rules == {"repository_id": {"is": ["74"]}}


def test_what_matches_by_now_changes_nothing(cast: Cast, user: Any, github: IdTokenIssuer) -> None:
    policy = create(cast, user, github)
    row = refused(policy, claims={"repository_id": "74", "ref": "refs/tags/v1"}, at=timezone.now())
    allow(cast, row)
    assert not AuditEvent.objects.filter(action="trust_policy.allowed")
