"""/schema/ and /docs/"""

import re

import yaml
from django.test import Client

from tests.cast import Cast, client_for
from tests.integration.api import routes
from tests.integration.api.world import caller_of

DOCS = "/api/v1/docs/"


def test_the_schema_is_for_persons(cast: Cast) -> None:
    assert caller_of(cast, "viewer").get("schema/").status_code == 200
    assert caller_of(cast, "anonymous").get("schema/").status_code == 401


def test_the_schema_holds_each_operation_with_its_errors(cast: Cast) -> None:
    document = yaml.safe_load(caller_of(cast, "viewer").get("schema/").content)
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len(operations) == len(routes.every()) + len(routes.operators())
    ids = [each["operationId"] for each in operations]
    assert len(set(ids)) == len(ids)
    for each in operations:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", each["operationId"])
        assert {"400", "401", "403", "404", "503"} < set(each["responses"])
        assert {"session": []} in each["security"]
    assert set(document["components"]["securitySchemes"]) == {"apiToken", "session"}


def test_the_docs_are_for_persons(cast: Cast) -> None:
    assert client_for(cast.viewer).get(DOCS).status_code == 200
    assert Client().get(DOCS)["Location"] == f"/me/login/?next={DOCS}"


def test_the_docs_need_no_relaxed_policy(cast: Cast) -> None:
    response = client_for(cast.viewer).get(DOCS)
    assert "unsafe" not in response["Content-Security-Policy"]
    page = response.content.decode()
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    script = client_for(cast.viewer).get(f"{DOCS}?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema/" in script.content.decode()
