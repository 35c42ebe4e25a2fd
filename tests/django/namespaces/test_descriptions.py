"""GET and POST /a/<handle>/n/<name>/description/ and …/i/<image>/-/description/, and where they are shown."""

import re

import pytest

from accounts.models import AuditEvent
from namespaces.models import Image, Namespace, Readme
from namespaces.readme import README_MAX
from namespaces.services import descriptions
from tests import factories
from tests.cast import Cast

NAMESPACE, IMAGE = "/a/team-red/n/red/", "/a/team-red/n/red/i/app/api/"
FORMS = [f"{NAMESPACE}description/", f"{IMAGE}-/description/"]
both = pytest.mark.parametrize("form", FORMS)
README = "# Use\n\n<script>alert(1)</script> ![logo](https://example.org/l.png)"


@pytest.fixture(autouse=True)
def image(cast: Cast) -> Image:
    tag = factories.TagFactory(image__namespace__account=cast.account, image__namespace__name="red",
                               image__name="app/api", name="1.0")  # fmt: skip
    found: Image = tag.image
    return found


def page_of(form: str) -> str:
    return NAMESPACE if form == FORMS[0] else IMAGE


@both
@pytest.mark.parametrize("who", ["owner", "manager"])
def test_it_is_written_and_shown(cast: Cast, form: str, who: str) -> None:
    client = cast.client(who)
    assert client.post(form, {"description": "The API", "readme": README}).url == page_of(form)
    page = client.get(page_of(form)).text
    assert "The API" in page
    assert "<h3>Use</h3>" in page
    assert "<script>alert" not in page
    assert '<img src="https' not in page
    assert AuditEvent.objects.get().after == {"description": "The API", "readme": len(README)}
    assert "The API" in client.get(form).text
    assert "# Use" in client.get(form).text


@both
@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), ("anonymous", 302)])
def test_others_neither_see_the_form_nor_write(cast: Cast, form: str, who: str, status: int) -> None:
    client = cast.client(who)
    assert client.get(form).status_code == status
    assert client.post(form, {"description": "Mine", "readme": "Mine"}).status_code == status
    assert not Readme.objects.exists()
    assert not AuditEvent.objects.exists()


@both
def test_members_read_it_and_only_who_may_is_led_to_the_form(cast: Cast, form: str) -> None:
    cast.client("owner").post(form, {"description": "The API", "readme": README})
    for who, may in [("owner", True), ("manager", True), ("viewer", False)]:
        page = cast.client(who).get(page_of(form)).text
        assert "<h3>Use</h3>" in page
        assert (f'href="{form}"' in page) is may


@both
def test_a_preview_saves_nothing(cast: Cast, form: str) -> None:
    sent = README.replace("\n", "\r\n")  # as browsers send it
    shown = cast.client("owner").post(form, {"description": "The API", "readme": sent, "preview": "1"})
    assert shown.status_code == 200
    assert "<h3>Use</h3>" in shown.text
    assert 'value="The API"' in shown.text
    assert not Readme.objects.exists()


@both
@pytest.mark.parametrize(
    ("field", "text"), [("description", "x" * 201), ("readme", "x" * (README_MAX + 1)), ("readme", "a\x00")]
)
def test_what_is_too_long_is_said_at_its_field_and_kept_in_it(
    cast: Cast, form: str, field: str, text: str
) -> None:
    refused = cast.client("owner").post(form, {"description": "", "readme": "", field: text})
    assert refused.status_code == 400
    assert list(refused.context["form"].errors) == [field]
    assert not Readme.objects.exists()


def test_lines_as_browsers_send_them_count_once(cast: Cast) -> None:
    sent = "a\r\n" * (README_MAX // 2)
    assert cast.client("owner").post(FORMS[0], {"description": "", "readme": sent}).status_code == 302
    assert Readme.objects.get().text == ("a\n" * (README_MAX // 2)).strip("\n")


def test_the_form_says_what_an_image_brings(cast: Cast, image: Image) -> None:
    client = cast.client("owner")
    assert "Leave empty to use" not in client.get(FORMS[1]).text
    Image.objects.filter(pk=image.pk).update(pushed_description="As pushed")
    assert "Leave empty to use the image’s own: “As pushed”." in client.get(FORMS[1]).text
    assert "As pushed" in client.get(IMAGE).text


def test_lists_and_search_show_it(cast: Cast, image: Image) -> None:
    by = cast.by("owner")
    descriptions.describe_image(by=by, image=image, description="Takes <orders>")
    descriptions.describe_namespace(by=by, namespace=image.namespace, description="Shop & stock")
    client = cast.client("viewer")
    for path in (NAMESPACE, "/a/team-red/images/", "/a/team-red/images/?q=ORDERS", "/search/?q=orders"):
        assert "Takes &lt;orders&gt;" in client.get(path).text
    assert "Shop &amp; stock" in client.get("/a/team-red/images/").text
    assert "Takes &lt;orders&gt;" not in client.get("/a/team-red/images/?q=bills").text


def test_an_image_that_is_not_pushed_yet_is_not_described(cast: Cast) -> None:
    client = cast.client("owner")
    assert client.get("/a/team-red/n/red/i/new/-/description/").status_code == 404
    assert "/-/description/" not in client.get("/a/team-red/n/red/i/new/").text


def test_it_goes_with_what_it_is_about(cast: Cast, image: Image) -> None:
    empty = factories.NamespaceFactory(account=cast.account, name="empty")
    descriptions.describe_namespace(by=cast.by("owner"), namespace=empty, readme=README)
    cast.client("owner").post("/a/team-red/n/empty/delete/", {"confirm": "empty"})
    assert not Namespace.objects.filter(name="empty").exists()
    assert not Readme.objects.exists()


def version_in(page: str) -> str:
    found = re.search(r'name="version" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


@both
def test_who_saves_second_is_told_and_loses_nothing(cast: Cast, form: str) -> None:
    first, second = cast.client("owner"), cast.client("manager")
    theirs, mine = ({"version": version_in(each.get(form).text)} for each in (first, second))
    first.post(form, theirs | {"description": "Theirs", "readme": "# Their <b>text</b>"})
    refused = second.post(form, mine | {"description": "Mine", "readme": "# My text"})
    assert refused.status_code == 400
    assert "Somebody else has changed this since you opened it. Nothing was saved." in refused.text
    assert 'value="Mine"' in refused.text
    assert "# My text" in refused.text
    assert "# Their &lt;b&gt;text&lt;/b&gt;</pre>" in refused.text
    assert Readme.objects.get().text == "# Their <b>text</b>"
    assert AuditEvent.objects.count() == 1

    again = {"version": version_in(refused.text), "description": "Mine", "readme": "# My text"}
    assert second.post(form, again).status_code == 302
    assert Readme.objects.get().text == "# My text"
    assert "Mine" in second.get(page_of(form)).text


@both
def test_a_preview_does_not_hide_what_others_saved(cast: Cast, form: str) -> None:
    client = cast.client("owner")
    mine = {"version": version_in(client.get(form).text), "description": "", "readme": "# Mine"}
    client.post(form, {"description": "Theirs", "readme": ""})
    shown = client.post(form, mine | {"preview": "1"})
    assert version_in(shown.text) == mine["version"]
    assert client.post(form, mine).status_code == 400
    assert not Readme.objects.exists()


@both
def test_saving_the_same_twice_is_no_conflict(cast: Cast, form: str) -> None:
    client = cast.client("owner")
    text = {"version": version_in(client.get(form).text), "description": "The API", "readme": README}
    assert [client.post(form, text).status_code for _click in range(2)] == [302, 302]
    assert AuditEvent.objects.count() == 1


@both
@pytest.mark.parametrize("version", ["", "x", "\x00"])
def test_a_version_that_never_was_saves_nothing(cast: Cast, form: str, version: str) -> None:
    answer = cast.client("owner").post(form, {"version": version, "description": "New", "readme": ""})
    assert answer.status_code == 400
    assert "Nothing was saved." in answer.text
    assert not AuditEvent.objects.exists()
