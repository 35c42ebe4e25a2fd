"""The factories make rows that hold together."""

import pytest

from accounts import credentials
from accounts.models import Secret
from accounts.peppers import peppers
from tests import factories
from tests.cast import Cast


def test_a_user_knows_its_password(db: None) -> None:
    user = factories.RegistryUserFactory()
    assert credentials.well_formed(user.password, credentials.USER_PREFIX)
    assert Secret.objects.get(user=user).digest in credentials.digests(user.password, peppers())


def test_a_grant_is_of_one_account(db: None) -> None:
    grant = factories.GrantFactory()
    assert grant.namespace.account == grant.user.account


def test_a_tag_counts_in_its_image(db: None) -> None:
    image = factories.ImageFactory()
    factories.TagFactory.create_batch(2, image=image)
    image.refresh_from_db()
    assert image.tag_count == 2


@pytest.mark.parametrize("who", ["owner", "manager", "viewer", "stranger"])
def test_the_cast_can_sign_in(cast: Cast, who: str) -> None:
    assert cast.client(who).login(username=f"{who}@example.com", password=factories.PASSWORD)
