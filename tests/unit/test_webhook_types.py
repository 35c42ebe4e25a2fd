import pytest

from accounts.outbound.addresses import target
from namespaces.webhooks.event_types import (
    FORMATS,
    LABELS,
    PREFIX,
    PUSHES,
    TEST,
    EventType,
    Format,
    in_order,
    types_problem,
)
from namespaces.webhooks.shown_url import audit_label, query_values, receiver_text, shown_url, without_secrets


def test_only_what_points_a_tag_at_something_is_a_push_to_argo_cd() -> None:
    """Its image updater takes every type with one of these words for a push."""
    pushes = {each for each in [*EventType, TEST] if "image" in PREFIX + each or "container" in PREFIX + each}
    assert pushes == PUSHES


def test_each_type_has_words_and_fits_its_column() -> None:
    assert set(LABELS) == set(EventType)
    assert set(FORMATS) == {each.value for each in Format}
    assert all(len(each) <= 40 for each in EventType)


@pytest.mark.parametrize(
    ("types", "format", "whole", "problem"),
    [
        (["image.pushed"], Format.HARBOR, False, ""),
        (list(EventType), Format.CLOUDEVENTS, True, ""),
        ([], Format.CLOUDEVENTS, True, "Select at least one of the events."),
        (["image.pushed", "image.pulled"], Format.CLOUDEVENTS, True, "Select at least one of the events."),
        (["user.denied", "retention.finished"], Format.HARBOR, True,
         "This format cannot express: retention.finished, user.denied."),
        (["tag.deleted"], Format.KEEL, True, "This format cannot express: tag.deleted."),
        (["user.expiring", "image.pushed"], Format.EMPTY, False,
         "Only a webhook of the whole account can be told: user.expiring."),
        (["user.expiring"], Format.EMPTY, True, ""),
    ],
)  # fmt: skip
def test_which_types_a_webhook_can_have(types: list[str], format: Format, whole: bool, problem: str) -> None:
    assert types_problem(types, format, whole_account=whole) == problem


def test_types_are_kept_in_one_order() -> None:
    assert in_order(["tag.deleted", "image.pushed", "tag.deleted", "other"]) == [
        "image.pushed",
        "tag.deleted",
    ]


@pytest.mark.parametrize(
    ("url", "shown", "values"),
    [
        ("https://a.example/hook/1", "https://a.example/hook/1", []),
        ("https://a.example/h?", "https://a.example/h?", []),
        ("https://a.example/h?type=harbor&secret=s3=3t", "https://a.example/h?type=…&secret=…", ["harbor", "s3=3t"]),
        ("https://a.example/h?s3cret", "https://a.example/h?…", ["s3cret"]),
        ("https://a.example/h?&a=1&", "https://a.example/h?&a=…&", ["1"]),
        ("https://a.example/h?a=&b=", "https://a.example/h?a=&b=", [""]),
        ("https://a.example/h?a=x%2By+z", "https://a.example/h?a=…", ["x%2By+z", "x+y+z", "x+y z"]),
    ],
)  # fmt: skip
def test_the_values_of_a_query_are_hidden(url: str, shown: str, values: list[str]) -> None:
    assert target(url).url == url
    assert shown_url(url) == shown
    assert query_values(url) == values
    assert len(shown_url(url)) <= len(url)  # it is kept in a column of the width of a URL


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example:8443/", "https://a.example:8443"),
        ("https://a.example/api/webhooks/5f0c", "https://a.example/…"),
        ("https://a.example?secret=…", "https://a.example/…"),
        ("http://[2001:db8::1]:80/hook?x", "http://[2001:db8::1]:80/…"),
    ],
)
def test_the_audit_log_names_a_receiver_without_its_path(url: str, text: str) -> None:
    assert receiver_text(url) == audit_label("", url) == text
    assert audit_label("Deploy", url) == "Deploy"


def test_secrets_in_an_answer_are_hidden_and_short_words_stay() -> None:
    assert (
        without_secrets("got s3cr3t-s3cr3t, s3cr3t and no", ["no", "s3cr3t", "s3cr3t-s3cr3t"])
        == "got …, … and no"
    )


def test_of_a_secret_that_is_cut_the_beginning_is_hidden() -> None:
    secrets = ["Bearer s3cr3t-and-more", "s3cr3t-and-more"]
    assert without_secrets("got Bearer s3cr3t-and", secrets, is_cut=True) == "got …"
    assert without_secrets("got s3cr3t-a", secrets, is_cut=True) == "got …"
    assert without_secrets("s3cr3t-", secrets, is_cut=True) == "…"
    assert without_secrets("got no Bearer", secrets) == "got no Bearer"
    assert without_secrets("got the s3", secrets, is_cut=True) == "got the s3"
