"""Run inside `manage.py shell` after listing_world: what each list costs in the server, and how often it asks."""

import statistics
import time

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.common import pagination
from accounts.models import Person
from namespaces.listing import tag_list
from namespaces.models import Image, Tag

ROUNDS = 7
BIG = "/a/listing/n/bench/i/big/"
API = "/api/v1/accounts/listing/namespaces/bench/images/big/-/tags/"
SEARCH = "/a/listing/search/"


def main() -> None:
    client = Client(headers={"host": "localhost"})
    client.force_login(Person.objects.get(email="listing@example.com"))
    print(f"{connection.vendor:<44}{'best':>10}{'median':>10}{'worst':>10}{'queries':>9}")
    row(client, "a page with no list (access)", f"{BIG}-/access/")
    small = Image.objects.get(name="small/1")
    row(client, "an image of 100 tags", small.get_absolute_url())
    for sort in tag_list.SORTS:
        for place, depth in (("first", 0), ("middle", 99_900), ("last", 199_750)):
            row(client, f"200,000 tags by {sort}, {place} page", f"{BIG}?sort={sort}{cursor(sort, depth)}")
    row(client, "200,000 tags with the technical ones", f"{BIG}?technical=1")
    some = Tag.objects.filter(image__name="big", technical=False).order_by("id")[150_000]
    for label, text in {
        "1 character": "v", "2 characters, few": "n2", "2 characters, none": "zz", "in all": "v1.",
        "in 10 %": "nightly", "in a few": "-0012", "in one": some.name, "in none": "no-such-tag",
        "a whole digest": some.manifest_id, "6 digits, name or digest": some.manifest_id[7:13],
    }.items():  # fmt: skip
        row(client, f"filter: {label}", f"{BIG}?q={text}")
        if label in ("in 10 %", "in a few"):
            row(client, f"filter: {label}, by name", f"{BIG}?q={text}&sort=name")
    row(client, "API, first page", API)
    row(client, "a tag", f"{BIG}-/tags/{some.name}/")
    row(client, "API, one tag", f"{API}{some.name}/")
    row(client, "tags to remove", f"{BIG}-/delete-preview/")
    row(client, "tags to remove, filter in all", f"{BIG}-/delete-preview/?q=v1.")
    row(client, "what removing one does", f"{BIG}-/delete-preview/?tag={some.name}")
    row(client, "history", f"{BIG}-/history/")
    row(client, "usage", "/a/listing/usage/")
    row(client, "images", "/a/listing/images/")
    revision = some.manifest.details["config"]["labels"]["org.opencontainers.image.revision"]
    for label, text in {
        "tag in all": "v1.", "tag in one": some.name, "tag in none": "no-such-tag", "image": "small/77",
        "digest": some.manifest_id[7:19], "label": revision[:10], "user": "deploy", "2 characters": "v1",
        "reference": f"bench/big:{some.name}",
    }.items():  # fmt: skip
        row(client, f"search: {label}", f"{SEARCH}?q={text}")


def cursor(sort: str, depth: int) -> str:
    if not depth:
        return ""
    rows = tag_list.find_tags(Image.objects.get(name="big")).tags(sort=sort)
    fields = [name.lstrip("-") for name in rows.query.order_by]
    return "&page=" + pagination._write("a", rows[depth], fields)


def row(client: Client, label: str, path: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    queries = len(asked)  # now: the next request empties the log
    assert answer.status_code == 200, (path, answer.status_code)
    times = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        client.get(path)
        times.append(1000 * (time.perf_counter() - began))
    cells = "".join(f"{each:>7.1f} ms" for each in (min(times), statistics.median(times), max(times)))
    print(f"{label:<44}{cells}{queries:>9}", flush=True)


main()
