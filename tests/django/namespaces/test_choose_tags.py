"""Tags are chosen in the list: two to be compared, or by those who may remove them, any number to be removed."""

import pytest

from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db
IMAGE = "/a/team-red/n/team/i/app/"


@pytest.fixture(autouse=True)
def _tags(cast: Cast) -> None:
    image = factories.ImageFactory(
        namespace=factories.NamespaceFactory(account=cast.account, name="team"), name="app"
    )
    for name in ("1.0", "2.0"):
        factories.TagFactory(image=image, name=name)


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_who_may_remove_can_choose(cast: Cast, who: str) -> None:
    page = cast.client(who).get(IMAGE).content.decode()
    assert page.count('name="tag"') == 2
    assert "data-tick-all" in page
    chosen = cast.client(who).get(f"{IMAGE}-/delete-preview/", {"tag": ["1.0", "2.0"]}).content.decode()
    assert "Remove 2 tags" in chosen


def test_a_viewer_can_choose_to_compare_and_not_to_remove(cast: Cast) -> None:
    page = cast.client("viewer").get(IMAGE).text
    assert page.count('name="tag"') == 2
    assert f'action="{IMAGE}-/compare/"' in page
    assert "delete-preview" not in page
    assert "data-tick-all" not in page
    assert cast.client("viewer").get(f"{IMAGE}-/delete-preview/", {"tag": "1.0"}).status_code == 403


def test_the_pull_command_names_a_tag_that_is_there(cast: Cast) -> None:
    assert "/team/app:2.0" in cast.client("viewer").get(IMAGE).content.decode()
