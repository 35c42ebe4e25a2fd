"""Who may do what through the API: the same table as on the pages, each allow beside its deny."""

import pytest

from accounts.roles import PERMISSIONS, Permission, Role, denial_text
from tests.django.api import routes
from tests.django.api.caller import error_of
from tests.django.api.routes import Route
from tests.django.api.world import World, snapshot

VIEW, USERS, SPACES, GRANTS, HOOKS = (
    Permission.ACCOUNT_VIEW,
    Permission.USERS_MANAGE,
    Permission.NAMESPACES_MANAGE,
    Permission.GRANTS_MANAGE,
    Permission.WEBHOOKS_MANAGE,
)
ACTS = {
    "PATCH api-account": Permission.ACCOUNT_RENAME,
    "PATCH api-password-rules": Permission.CREDENTIAL_RULES_CHANGE,
    "DELETE api-account": Permission.ACCOUNT_CLOSE,
    "GET api-invitations": Permission.MEMBERS_MANAGE,
    "POST api-invitations": Permission.MEMBERS_MANAGE,
    "DELETE api-invitation": Permission.MEMBERS_MANAGE,
    "PATCH api-member": Permission.MEMBERS_MANAGE,
    "DELETE api-member": Permission.MEMBERS_MANAGE,
    "DELETE api-membership": VIEW,
    "POST api-users": USERS,
    "PATCH api-user": USERS,
    "DELETE api-user": USERS,
    "POST api-user-disable": USERS,
    "POST api-user-enable": USERS,
    "POST api-user-password": USERS,
    "POST api-user-passwords": USERS,
    "PATCH api-password": USERS,
    "DELETE api-password": USERS,
    "POST api-grants": GRANTS,
    "POST api-user-grants-copy": GRANTS,
    "POST api-denial-allow": GRANTS,
    "PATCH api-grant": GRANTS,
    "DELETE api-grant": GRANTS,
    "POST api-namespaces": SPACES,
    "PATCH api-namespace": SPACES,
    "PATCH api-image": Permission.IMAGES_DESCRIBE,
    "DELETE api-namespace": SPACES,
    "POST api-account-sync": Permission.SYNC_START,
    "POST api-access-preview": Permission.GRANTS_MANAGE,
    "POST api-user-smallest-grants": GRANTS,
    "POST api-id-token-issuers": USERS,
    "PATCH api-id-token-issuer": USERS,
    "DELETE api-id-token-issuer": USERS,
    "POST api-trust-policies": USERS,
    "PATCH api-trust-policy": USERS,
    "DELETE api-trust-policy": USERS,
    "POST api-refused-id-token-allow": USERS,
    "PATCH api-second-factor": Permission.SECOND_FACTOR_REQUIRE,
    "POST api-removals": Permission.IMAGES_REMOVE,
    "POST api-removal-restore": Permission.IMAGES_REMOVE,
    "POST api-image-purge": Permission.IMAGES_REMOVE,
    "POST api-images-purge": Permission.IMAGES_REMOVE,
    "POST api-namespace-purge": Permission.IMAGES_REMOVE,
    "POST api-purge-stop": Permission.IMAGES_REMOVE,
    "POST api-purge-restore": Permission.IMAGES_REMOVE,
    "POST api-retention": Permission.IMAGES_REMOVE,
    "PATCH api-retention-rule": Permission.IMAGES_REMOVE,
    "DELETE api-retention-rule": Permission.IMAGES_REMOVE,
    "POST api-retention-runs": Permission.IMAGES_REMOVE,
    "GET api-webhooks": HOOKS,
    "POST api-webhooks": HOOKS,
    "GET api-webhook": HOOKS,
    "PATCH api-webhook": HOOKS,
    "DELETE api-webhook": HOOKS,
    "POST api-webhook-signing-secret": HOOKS,
    "POST api-webhook-test": HOOKS,
    "GET api-webhook-deliveries": HOOKS,
    "GET api-webhook-delivery": HOOKS,
    "POST api-webhook-delivery-resend": HOOKS,
}


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", [each for each in routes.every() if "handle" in each.arguments], ids=str)
def test_a_role_may_what_the_table_says(world: World, route: Route, role: Role) -> None:
    act = VIEW if route.method == "GET" and str(route) not in ACTS else ACTS[str(route)]
    caller = world.caller(role.value)
    before = snapshot()
    world_path = (
        route.path(world, name="empty") if str(route) == "DELETE api-namespace" else route.path(world)
    )
    body = (
        {"confirmation": "empty"} if str(route) == "DELETE api-namespace" else routes.body_for(route, world)
    )
    response = caller(route.method, world_path, body)
    if str(route) == "DELETE api-membership" and role is Role.OWNER:
        assert response.status_code == 403  # the last owner stays
    elif act in PERMISSIONS[role]:
        assert response.status_code < 300
    else:
        assert response.status_code == 403
        assert error_of(response)["message"] == denial_text(act)
        assert snapshot() == before
