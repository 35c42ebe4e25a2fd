"""A page loads the person's membership once, with the account, and asks the role that came with it."""

import pytest

from tests import factories
from tests.cast import Cast
from tests.statements import counted


@pytest.mark.parametrize("page", ["images", "users", "user", "settings", "namespace", "image", "tag"])
def test_a_page_loads_it_once(cast: Cast, page: str) -> None:
    tag = factories.TagFactory(image__namespace__account=cast.account)
    user = factories.RegistryUserFactory(account=cast.account)
    urls = {
        "image": tag.image.get_absolute_url(),
        "namespace": tag.image.namespace.get_absolute_url(),
        "tag": tag.get_absolute_url(),
        "user": user.get_absolute_url(),
    }
    with counted() as statements:
        answer = cast.client("viewer").get(urls.get(page, f"/a/team-red/{page}/"))
    assert answer.status_code == 200
    roles = [each for each in statements if '"accounts_member"."role"' in each and '"handle" = ' in each]
    assert len(roles) == 1
