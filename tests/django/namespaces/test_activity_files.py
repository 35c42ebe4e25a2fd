"""Activity as a file: CSV and JSON Lines, from the page and from the API."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent
from accounts.services import accounts, users
from namespaces.activity import export
from tests import factories, statements
from tests.cast import MEMBERS, Cast
from tests.django.api.world import caller_of
from tests.django.namespaces.test_activity_of_clients import START, add_history

PAGE = "/a/team-red/activity/"
API = "accounts/team-red/activity/download/"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def csv_of(answer: Any) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(text_of(answer), newline=""))]


def jsonl_of(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text_of(answer).splitlines()]


@pytest.fixture
def _history(cast: Cast) -> None:
    by = cast.by("owner")
    accounts.rename(by=by, account=cast.account, name="Team Crimson")
    user, _password = users.create(
        by=by, account=cast.account, description="CI, “déploiement”", expires_at=None
    )
    users.create(by=cast.by("stranger"), account=cast.elsewhere, description="Hidden", expires_at=None)
    namespace = factories.NamespaceFactory(account=cast.account, name="team")
    add_history(factories.ImageFactory(namespace=namespace, name="api"), user, START)


@pytest.mark.usefixtures("_history")
@pytest.mark.parametrize("who", MEMBERS)
def test_both_files_hold_what_the_page_shows(cast: Cast, who: str) -> None:
    client = cast.client(who)
    shown = client.get(PAGE, {"kind": "all"}).context["lines"]
    expected = [(line.entry.action, line.entry.actor) for line in shown]
    assert len(expected) == 8
    rows, objects = csv_of(client.get(f"{PAGE}csv/?kind=all")), jsonl_of(client.get(f"{PAGE}jsonl/?kind=all"))
    assert [(row["action"], row["actor"]) for row in rows] == expected
    assert [(row["action"], row["actor"]) for row in objects] == expected
    assert tuple(rows[0]) == tuple(objects[0]) == export.COLUMNS
    for row, found in zip(rows, objects, strict=True):
        assert json.loads(row["after"] or "{}") == found["after"]
        assert row["object_label"] == found["object_label"]


@pytest.mark.usefixtures("_history")
def test_the_api_sends_the_same_and_lists_the_same(cast: Cast) -> None:
    caller = caller_of(cast, "viewer")
    for kind in ("", "all", "denials"):
        listed = caller.get(f"accounts/team-red/activity/?kind={kind}").json()["results"]
        assert jsonl_of(caller.get(f"{API}?format=jsonl&kind={kind}")) == listed
        assert len(csv_of(caller.get(f"{API}?format=csv&kind={kind}"))) == len(listed)


@pytest.mark.usefixtures("_history")
def test_moments_are_iso_8601_in_utc_and_texts_english_whoever_reads(cast: Cast) -> None:
    client = cast.client("viewer")
    client.cookies["timezone"] = "Europe/Paris"
    rows = csv_of(client.get(f"{PAGE}csv/?kind=denials", headers={"Accept-Language": "fr"}))
    assert rows == [{
        "occurred_at": "2026-03-01T16:00:00Z", "actor": rows[0]["actor"], "client_ip": "192.0.2.9",
        "client": "buildkit/0.2", "action": "client.denied", "object_kind": "image", "object_id": "",
        "object_label": "team/api", "count": "3", "before": "",
        "after": '{"request":"push","reason":"push needs write; it has read","remedy":"Give it write."}',
    }]  # fmt: skip


@pytest.mark.usefixtures("_history")
@pytest.mark.parametrize(
    ("query", "actions"), [("kind=users", ["user.created"]), ("q=crimson", ["account.renamed"])]
)
def test_the_filter_is_the_pages(cast: Cast, query: str, actions: list[str]) -> None:
    rows = csv_of(cast.client("viewer").get(f"{PAGE}csv/?{query}"))
    assert [row["action"] for row in rows] == actions


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(cast: Cast, beginning: str) -> None:
    label = f"{beginning}HYPERLINK(A1)"
    event(cast, object=label)
    assert csv_of(cast.client("viewer").get(f"{PAGE}csv/"))[0]["object_label"] == f"'{label}"
    assert jsonl_of(cast.client("viewer").get(f"{PAGE}jsonl/"))[0]["object_label"] == label


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_it_is_a_file_that_nobody_keeps(cast: Cast, suffix: str) -> None:
    answer = cast.client("viewer").get(f"{PAGE}{suffix}/")
    assert answer["Content-Disposition"] == f'attachment; filename="team-red-activity.{suffix}"'
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert text_of(answer) == ("" if suffix == "jsonl" else ",".join(export.COLUMNS) + "\r\n")


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 302)])
def test_outsiders_get_no_file(cast: Cast, who: str, status: int) -> None:
    assert cast.client(who).get(f"{PAGE}csv/").status_code == status


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("anonymous", 401)])
def test_nor_by_the_api(cast: Cast, who: str, status: int) -> None:
    assert caller_of(cast, who).get(f"{API}?format=csv").status_code == status


def test_a_wrong_filter_gets_the_page_that_says_so(cast: Cast) -> None:
    answer = cast.client("viewer").get(f"{PAGE}csv/?since=yesterday")
    assert answer.status_code == 400
    assert b"Enter a valid date" in answer.content


@pytest.mark.parametrize("query", ["", "?format=xml", "?format=csv&kind=secrets"])
def test_the_api_refuses_a_wrong_query(cast: Cast, query: str) -> None:
    assert caller_of(cast, "viewer").get(f"{API}{query}").status_code == 400


def test_a_client_that_accepts_only_csv_gets_it(cast: Cast) -> None:
    caller = caller_of(cast, "viewer")
    caller.headers["Accept"] = "text/csv"
    assert caller.get(f"{API}?format=csv")["Content-Type"] == "text/csv; charset=utf-8"


def event(cast: Cast, **values: Any) -> AuditEvent:
    defaults = {
        "actor_kind": "person",
        "actor": "ann@example.com",
        "action": "user.created",
        "object_kind": "x",
    }
    return AuditEvent.objects.create(account_id=cast.account.pk, **defaults | values)


def test_a_hundred_thousand_lines_need_statements_by_batches_and_no_more_memory(cast: Cast) -> None:
    """Everything is read in thousands, whatever the number of lines."""
    count, moment = 100_000, datetime(2026, 1, 1, tzinfo=UTC)
    for start in range(0, count, 10_000):
        AuditEvent.objects.bulk_create(
            AuditEvent(
                account_id=cast.account.pk, at=moment + timedelta(seconds=start + number), actor_kind="person",
                actor="ann@example.com", action="user.edited", object_kind="user", object=f"User {start + number}",
                after={"description": f"User {start + number}"},
            )
            for number in range(10_000)
        )  # fmt: skip
    client = cast.client("viewer")
    client.get(PAGE)
    lines, most = 0, 0
    with statements.counted() as asked:
        answer = client.get(f"{PAGE}csv/")
        tracemalloc.start()
        for chunk in answer.streaming_content:
            lines += chunk.count(b"\r\n")
            most = max(most, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert lines == count + 1
    assert len(asked) <= count // export.BATCH + 5
    assert most < 16_000_000  # all of them would take ten times as much
