"""Rows of lists are written by functions, and their headers by templates: both say the same of each column."""

from html.parser import HTMLParser

import pytest
from django.db import transaction

from accounts import audit
from accounts.audit_actions import AuditAction
from tests import factories
from tests.cast import Cast

ALONE = frozenset({"meta", "link", "input", "img", "br", "hr", "wbr", "path"})
IMAGE = "/a/team-red/n/red/i/app/api/"


class Table(HTMLParser):
    """Its headers, and for each row of the body the labels of its cells. Fails where elements overlap."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.heads, self.rows = list[str](), list[str](), list[list[str]]()
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALONE:
            self.open.append(tag)
        if tag == "tr" and "tbody" in self.open:
            self.rows.append([])
        if tag == "th":
            self.heads.append("")
        if tag == "td":
            self.rows[-1].append(dict(attrs).get("data-label") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if "th" in self.open:
            self.heads[-1] += data.strip().strip("↑↓↕")


@pytest.fixture
def filled(cast: Cast) -> Cast:
    namespace = factories.NamespaceFactory(account=cast.account, name="red")
    image = factories.ImageFactory(namespace=namespace, name="app/api")
    user = factories.RegistryUserFactory(account=cast.account)
    factories.GrantFactory(user=user, namespace=namespace)
    factories.GrantFactory(user=user, namespace=namespace, image_name="app/api")
    factories.TagFactory(image=image, name="1.0", pushed_by=user.username)
    factories.TagFactory(image=image, name="1.1")
    with transaction.atomic():
        audit.record(
            by=cast.by("owner"), account=cast.account, action=AuditAction.USER_EDITED, kind="user",
            label="x", before={"description": "a"}, after={"description": "b", "expires_at": None},
        )  # fmt: skip
    return cast


@pytest.mark.parametrize("who", ["owner", "viewer"])
@pytest.mark.parametrize(
    ("path", "part"),
    [
        (IMAGE, "tags"),
        ("/a/team-red/images/", "images"),
        ("/a/team-red/users/", "users"),
        (f"{IMAGE}-/access/", ""),
        ("/a/team-red/activity/", ""),
        ("/a/team-red/n/red/permissions/", ""),
    ],
)
def test_each_cell_is_labelled_as_its_column(filled: Cast, who: str, path: str, part: str) -> None:
    asked = {"hx-request": "true", "hx-target": part} if part else {}
    page = filled.client(who).get(path, headers=asked).content.decode()
    table = Table(page)

    assert table.rows
    for row in table.rows:
        assert len(row) == len(table.heads)
        assert row[0] == ""
        assert [label or head for label, head in zip(row[1:], table.heads[1:], strict=True)] == table.heads[
            1:
        ]
