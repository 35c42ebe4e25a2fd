"""The headers of a list: each press turns the order of its column, and keeps what else the list is asked."""

from accounts.views.column_sort import ColumnSort, column_sorts, list_url, sort_options

FIRST = {"name": "name", "used": "-used"}


def test_a_column_is_sorted_the_other_way_when_it_is_sorted_already() -> None:
    assert column_sorts(FIRST, "-used", {"q": "ci", "sort": "-used"}, usual="-created") == {
        "name": ColumnSort("?q=ci&sort=name", ""),
        "used": ColumnSort("?q=ci&sort=used", "descending"),
    }
    turned = column_sorts(FIRST, "name", {}, usual="-created")
    assert turned["name"] == ColumnSort("?sort=-name", "ascending")


def test_no_address_names_the_usual_order() -> None:
    heads = column_sorts(FIRST, "used", {"q": "ci", "sort": "used"}, usual="-used")
    assert heads["used"] == ColumnSort("?q=ci", "ascending")
    assert sort_options({"-used": "Last used first", "name": "Name"}, "name", "-used") == [
        ("", "Last used first", False),
        ("name", "Name", True),
    ]


def test_what_is_not_asked_is_not_in_the_link() -> None:
    assert list_url({"q": "", "sort": "name"}) == "?sort=name"
