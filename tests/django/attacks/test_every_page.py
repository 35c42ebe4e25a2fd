"""What holds for each page of the panel: no forged form, no look that changes, no way in from outside."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as real
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client

from tests.cast import just_signed_in
from tests.django.api.world import World, snapshot
from tests.django.attacks import pages
from tests.django.attacks.pages import Page, form_for

every_page = pytest.mark.parametrize("page", pages.every(), ids=str)
of_an_account = pytest.mark.parametrize("page", pages.of_an_account(), ids=str)
# Pages that only show; they answer a form with 405 or by looking.
CHANGING = {
    "account-create", "api-tokens", "api-token-revoke", "user-create", "user-edit", "user-disable", "user-password",
    "password-rotate", "password-end", "password-retire",
    "id-token-issuer", "id-token-issuer-create", "id-token-issuer-disable", "id-token-issuer-delete",
    "trust-policy", "trust-policy-create", "trust-policy-disable", "trust-policy-delete", "refused-id-token-allow",
    "account-password-rules",
    "user-delete", "account-rename", "account-close", "member-role", "member-remove", "invitation-create",
    "invitation-withdraw", "namespace-create", "grant-edit", "grant-levels", "grant-remove", "user-grants",
    "permissions", "denial-allow", "user-allow", "namespace-publish", "namespace-delete", "image-access", "sync-start",
    "image-untag", "image-delete", "image-restore", "image-removal-restore", "image-purge", "images-purge",
    "image-describe", "namespace-describe",
    "namespace-purge", "purge-restore",
    "retention-rules", "retention-rule", "retention-toggle", "retention-run", "retention-delete",
    "webhook-create", "webhook-edit", "webhook-test", "webhook-toggle", "webhook-secret", "webhook-delete",
    "webhook-resend",
}  # fmt: skip


# What a viewer may: request a sync, and go.
VIEWERS_OWN = {"sync-start", "member-leave"}
# Redirects to another page of the account without a look at it.
LEADS_ON = {"account"}


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


def strict(world: World) -> tuple[Client, str]:
    """The owner's browser with CSRF enforced, as it is after any page with a form, and the token it would send."""
    client, page = Client(enforce_csrf_checks=True), HttpRequest()
    client.force_login(world.cast.owner)
    just_signed_in(client)
    token = get_token(page)
    client.cookies[real.CSRF_COOKIE_NAME] = page.META["CSRF_COOKIE"]
    return client, token


def is_csrf_refusal(answer: HttpResponse) -> bool:
    return answer.status_code == 403 and "403_csrf.html" in [each.name for each in answer.templates]  # type: ignore[attr-defined]


FORGED: list[dict[str, Any]] = [
    {},
    {"HX-Request": "true", "HX-Current-URL": "http://testserver/", "X-Requested-With": "XMLHttpRequest"},
    {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
    {"Origin": "null"},
    {"X-CSRFToken": "a" * 64},
    {"Authorization": "Bearer nonsense"},
]


@every_page
def test_a_form_from_elsewhere_changes_nothing(world: World, page: Page) -> None:
    client, token = strict(world)
    before = snapshot()
    for headers in (*FORGED, {"X-CSRFToken": token, "Origin": "https://evil.example"}):
        answer = client.post(page.path(world), form_for(page, world), headers=headers)
        assert is_csrf_refusal(answer), headers
    assert snapshot() == before


@every_page
def test_the_same_form_from_here_is_taken(world: World, page: Page) -> None:
    """The twin of the forged forms: only the token makes the difference."""
    client, token = strict(world)
    before = snapshot()
    answer = client.post(page.path(world), form_for(page, world), headers={"X-CSRFToken": token})
    assert not is_csrf_refusal(answer)
    assert answer.status_code < 500
    assert (snapshot() != before) is (page.name in CHANGING), (answer.status_code, page)


@every_page
def test_looking_changes_nothing_whatever_the_query_says(world: World, page: Page) -> None:
    client = world.cast.client("owner")
    before = snapshot()
    query = urlencode(form_for(page, world) | {"_method": "POST", "action": "delete"})
    headers = {"X-HTTP-Method-Override": "POST"}
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
        answer = client.generic(method, page.path(world), QUERY_STRING=query, headers=headers)
        assert answer.status_code < 500, method
    assert snapshot() == before


@of_an_account
def test_a_stranger_finds_no_page_of_an_account(world: World, page: Page) -> None:
    client = world.cast.client("stranger")
    before = snapshot()
    for answer in (client.get(page.path(world)), client.post(page.path(world), form_for(page, world))):
        assert answer.status_code in (404, 405) or page.name in LEADS_ON
        for word in (world.user.username, "CI deploy", world.tag.manifest_id, "owner@example.com"):
            assert word not in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize(
    "page", [page for page in pages.of_an_account() if page.name not in VIEWERS_OWN], ids=str
)
def test_a_viewer_looks_and_changes_nothing(world: World, page: Page) -> None:
    client, before = world.cast.client("viewer"), snapshot()
    answer = client.post(page.path(world), form_for(page, world))
    assert answer.status_code in (403, 405) or page.name in LEADS_ON
    assert snapshot() == before


@of_an_account
def test_who_was_removed_finds_nothing_in_the_session_they_still_have(world: World, page: Page) -> None:
    client = world.cast.client("manager")
    assert client.get("/a/team-red/images/").status_code == 200
    world.cast.manager.memberships.get().delete()
    before = snapshot()
    for answer in (client.get(page.path(world)), client.post(page.path(world), form_for(page, world))):
        assert answer.status_code in (404, 405) or page.name in LEADS_ON
        assert world.user.username not in answer.content.decode()
    assert snapshot() == before


@of_an_account
def test_nobody_is_asked_to_sign_in_and_told_nothing(world: World, page: Page) -> None:
    client = Client()
    before = snapshot()
    for answer in (client.get(page.path(world)), client.post(page.path(world), form_for(page, world))):
        assert answer.status_code in (302, 405)
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith("/me/login/?next=/a/team-red/")
    assert snapshot() == before


@pytest.mark.parametrize("page", [page for page in pages.of_an_account() if page.arguments[1:]], ids=str)
def test_rows_of_one_account_are_not_reached_through_another(world: World, page: Page) -> None:
    client, path = world.cast.client("stranger"), page.path(world, handle=world.cast.elsewhere.handle)
    before = snapshot()
    for answer in (client.get(path), client.post(path, form_for(page, world))):
        assert answer.status_code in (404, 405)
    assert snapshot() == before


def test_the_api_token_of_somebody_else_is_not_revoked(world: World) -> None:
    stranger, owner = world.cast.client("stranger"), world.cast.client("owner")
    path, before = f"/me/tokens/{world.token.pk}/revoke/", snapshot()
    assert stranger.post(path).status_code == 404
    assert snapshot() == before
    assert owner.post(path).status_code == 302
    assert snapshot() != before
