"""Every page of an account that requires a second factor leads a member without one to set one up."""

import pytest

from tests.django.api import world as worlds
from tests.django.api.world import World
from tests.django.attacks import pages


@pytest.mark.parametrize("page", pages.of_an_account(), ids=str)
def test_every_page_of_the_account_leads_who_has_none_to_set_one_up(
    shared_world: World, page: pages.Page
) -> None:
    shared_world.cast.account.second_factor_required = True
    shared_world.cast.account.save()
    client, path = shared_world.cast.client("owner"), page.path(shared_world)
    before = worlds.snapshot()
    for answer in (client.get(path), client.post(path, pages.form_for(page, shared_world))):
        assert (
            answer.headers.get("Location") == "/me/2fa/"
            or answer.status_code == 405
            or page.name == "account"
        )
    assert worlds.snapshot() == before
