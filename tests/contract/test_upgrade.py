"""Rows that an early release wrote, of real pushes, brought up to date on a real PostgreSQL.

Nothing is lost, and what a later release knows better is mended, or due to be read again.

old_rows.json holds them as that release's own models had them.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.parts import fixtures, postgres, team

pytestmark = pytest.mark.contract
ROWS = Path(__file__).parent / "old_rows.json"
UPGRADE = """
import base64, json
from io import StringIO
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import BinaryField
OLD = [("accounts", "0004_denial"), ("namespaces", "0008_fewer_indexes"), ("registry_sync", "0007_held_tags")]
call_command("prepare", stdout=StringIO())
MigrationExecutor(connection).migrate(OLD)
old = MigrationExecutor(connection).loader.project_state(OLD).apps
for label, rows in json.load(open({path!r})).items():
    model = old.get_model(label)
    packed = [field.attname for field in model._meta.concrete_fields if isinstance(field, BinaryField)]
    for row in rows:
        row.update((name, base64.b64decode(row[name])) for name in packed)
    model.objects.bulk_create(model(**row) for row in rows)
    for row in rows:  # what follows from a name is written by today's rule else
        if "technical" in row:
            model.objects.filter(pk=row["id"]).update(technical=row["technical"])
call_command("migrate", verbosity=0)

from namespaces.models import Image, Manifest, RepositoryManifest, Tag, TagHistoryEntry
from registry_sync.models import Event, RetentionRule
def rows(query, *names):
    return [list(map(str, row)) for row in query.order_by("pk").values_list(*names)]
print("FOUND", json.dumps({{
    "tags": rows(Tag.objects.all(), "image__name", "name", "manifest_id", "pushed_by", "pull_count"),
    "moves": rows(TagHistoryEntry.objects.all(), "image__name", "tag", "old", "new", "by", "how"),
    "technical": rows(Tag.objects.filter(technical=True), "image__name"),
    "images": rows(Image.objects.all(), "name", "tag_count", "latest_tag"),
    "whole": rows(Manifest.objects.filter(kind="index", complete=True), "digest"),
    "platforms": dict(Manifest.objects.filter(kind="index").values_list("digest", "platforms")),
    "due": rows(RepositoryManifest.objects.exclude(due_at=None), "manifest_id"),
    "rules": rows(RetentionRule.objects.all(), "image_name", "enabled", "semantics"),
    "waiting": rows(Event.objects.exclude(due_at=None), "repository", "tag"),
}}))
"""


@pytest.fixture(scope="module")
def old() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(ROWS.read_text())
    return found


def test_old_rows(old: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    fixtures.need("postgresql")
    kept = {name: value for name, value in os.environ.items() if name != "SECRETS_DIR"}
    with postgres.running() as url:
        env = kept | {"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": url}
        found = json.loads(team.shell(env, UPGRADE.format(path=str(ROWS))).split("FOUND ")[1])
    names = {row["id"]: row["name"] for row in old["namespaces.Image"]}

    def were(label: str, *columns: str) -> list[list[str]]:
        rows = sorted(old[label], key=lambda row: row["id"])
        return [[names[row["image_id"]], *(str(row[column]) for column in columns)] for row in rows]

    assert found["tags"] == were("namespaces.Tag", "name", "manifest_id", "pushed_by", "pull_count")
    assert found["moves"] == were("namespaces.TagHistoryEntry", "tag", "old", "new", "by", "how")
    assert found["technical"] == [["tools"]] * 18  # of three versions, which some of them were counted as
    assert {name: [count, latest] for name, count, latest in found["images"]}["tools"] == ["3", "3"]
    indexes = [row for row in old["namespaces.Manifest"] if row["kind"] == "index"]
    unread = [row["digest"] for row in indexes if not row["platforms"] or not row["created_at"]]
    assert sorted(digest for (digest,) in found["due"]) == sorted(unread)
    assert not set(unread) & {digest for (digest,) in found["whole"]}
    images = {row["digest"] for row in old["namespaces.Manifest"] if row["kind"] == "image"}
    told = [entry for listed in found["platforms"].values() for entry in listed if entry["digest"] in images]
    assert told
    assert all(entry["platform"] for entry in told)
    assert found["rules"] == [["tools", "True", "1"], ["moves", "True", "1"]]  # compared at their next run
    assert found["waiting"] == [[row["repository"], row["tag"]] for row in old["registry_sync.Event"]]
