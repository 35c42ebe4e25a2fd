"""/schema/ and /docs/"""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from django.conf import settings
from django.test import Client

from tests.cast import Cast, client_for
from tests.django.api import routes
from tests.django.api.world import caller_of
from tests.unit.test_apostrophes import STRAIGHT

DOCS = "/api/v1/docs/"


def test_the_schema_is_for_persons(cast: Cast) -> None:
    assert caller_of(cast, "viewer").get("schema/").status_code == 200
    assert caller_of(cast, "anonymous").get("schema/").status_code == 401


def test_the_schema_holds_each_operation_with_its_errors(cast: Cast) -> None:
    document = yaml.safe_load(caller_of(cast, "viewer").get("schema/").content)
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len(operations) == len(routes.every()) + len(routes.operators()) + len(routes.OF_USERS)
    ids = [each["operationId"] for each in operations]
    assert len(set(ids)) == len(ids)
    for each in operations:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", each["operationId"])
        assert {"400", "401", "403", "404", "503"} < set(each["responses"])
        basic = each["operationId"] == "self_rotate"
        assert ({"userPassword": []} if basic else {"session": []}) in each["security"]
    assert set(document["components"]["securitySchemes"]) == {"apiToken", "session", "userPassword"}


def test_its_texts_have_the_apostrophe_of_the_pages(cast: Cast) -> None:
    document = yaml.safe_load(caller_of(cast, "viewer").get("schema/").content)
    assert not [text for text in _texts(document) if STRAIGHT.search(text)]


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (
            text for key, text in node.items() if key in ("description", "summary") and isinstance(text, str)
        )
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(each)


def test_the_docs_are_for_persons(cast: Cast) -> None:
    assert client_for(cast.viewer).get(DOCS).status_code == 200
    assert Client().get(DOCS)["Location"] == f"/me/login/?next={DOCS}"


def test_the_docs_need_no_relaxed_policy(cast: Cast) -> None:
    response = client_for(cast.viewer).get(DOCS)
    assert "unsafe" not in response["Content-Security-Policy"]
    page = response.content.decode()
    assert "style=" not in page
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)


def test_the_docs_tell_each_operation_and_each_link_leads_somewhere(cast: Cast) -> None:
    document = yaml.safe_load(caller_of(cast, "viewer").get("schema/").content)
    page = html.unescape(client_for(cast.viewer).get(DOCS).content.decode())
    articles = [re.sub("</?code>|`", "", each) for each in page.split("<article ")]
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            (article,) = [each for each in articles if f'<h3 id="{operation["operationId"]}"' in each]
            assert f">{method.upper()}<" in article
            assert f" {path} " in " ".join(article.split())
            assert operation.get("description", "").replace("`", "") in article
            for each in operation.get("parameters", ()):
                assert f"<dt>{each['name']}</dt>" in article
            for status, answer in operation["responses"].items():
                assert f"<dt>{status}</dt>" in article
                assert answer["description"].replace("`", "") in article
            assert "curl -sS" in article
            assert ("Body</h4>" in article) is ("requestBody" in operation or "x-body" in operation)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_docs_are_small(cast: Cast) -> None:
    """What a browser fetches for them; tests/e2e/test_api_docs.py has a browser say so."""
    client = client_for(cast.viewer)
    page = client.get(DOCS, headers={"Accept-Encoding": "gzip"})
    files = re.findall(r'(?:href|src)="/static/([^"]+)"', client.get(DOCS).content.decode())
    assert {"api-docs.css", "theme.js", "mark.svg"} == set(files)
    sizes = [Path(settings.BASE_DIR, "static", each).stat().st_size for each in set(files)]
    assert page["Content-Encoding"] == "gzip"
    assert len(page.content) + sum(sizes) < 60_000
