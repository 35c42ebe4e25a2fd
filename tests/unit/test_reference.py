"""accounts/api/reference.py: an OpenAPI document as people read it."""

from typing import Any

from accounts.api.reference import Field, Kind, Operation, Reference, reference

SCHEMAS = {
    "Level": {"enum": ["read", "write"], "type": "string"},
    "Error": {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]},
    "Inner": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
    "Thing": {
        "type": "object",
        "properties": {
            "level": {
                "allOf": [{"$ref": "#/components/schemas/Level"}],
                "description": "How.\n\n* `read` - read",
            },
            "inner": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
            "left": {"type": "integer", "nullable": True, "default": 4},
        },
        "required": ["level"],
    },
    "ThingPage": {
        "type": "object",
        "properties": {"results": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}},
    },
}


def shape(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def read(method: str, **operation: Any) -> tuple[Reference, Operation]:
    whole = {"operationId": "things_do", "tags": ["things"], "responses": {}, "security": [{"apiToken": []}]}
    document = {"components": {"schemas": SCHEMAS}, "paths": {"/v1/{id}/": {method: whole | operation}}}
    found = reference(document, host="https://panel.example.com")
    return found, found.groups[0].operations[0]


def test_a_body_is_told_with_its_fields_and_an_example() -> None:
    found, operation = read("post", requestBody=shape("Thing"), description="Does.")
    level, inner, left = operation.body
    assert level == Field("level", Kind("one of", "", ("read", "write")), True, "How.")
    assert inner.kind == Kind("list of", "Inner")
    assert (left.kind, left.nullable, left.default, left.required) == (Kind("number"), True, "4", False)
    assert operation.curl.endswith("""-d '{"level": "read"}'""")
    assert [each.name for each in found.shapes] == ["Error", "Inner"]
    assert operation.note == "Does."


def test_answers_lead_to_shapes_and_errors_say_why() -> None:
    found, operation = read(
        "get", responses={"404": shape("Error") | {"description": "Not there."}, "200": shape("ThingPage")}
    )
    page, missing = operation.answers
    assert (page.status, page.kind) == ("200", Kind("page of", "Thing"))
    assert (missing.status, missing.kind, missing.note) == ("404", None, "Not there.")
    assert [each.name for each in found.shapes] == ["Error", "Inner", "Thing"]
    assert operation.curl == "curl -sS -H @auth.txt https://panel.example.com/v1/{id}/"


def test_parameters_stand_in_the_example() -> None:
    asked = [
        {"in": "query", "name": "q", "required": True, "schema": {"type": "string"}},
        {"in": "query", "name": "page", "schema": {"type": "string"}},
        {"in": "path", "name": "id", "required": True, "schema": {"type": "integer"}},
    ]
    _found, operation = read("get", parameters=asked)
    assert [each.name for each in operation.parameters] == ["id", "q", "page"]
    assert operation.curl == "curl -sS -H @auth.txt 'https://panel.example.com/v1/7/?q=nginx'"


def test_a_delete_may_have_a_body() -> None:
    _found, operation = read("delete", **{"x-body": {"confirmation": "Again."}}, security=[{"session": []}])
    assert operation.body == (Field("confirmation", Kind("text"), True, "Again."),)
    assert "-X DELETE" in operation.curl
    assert """-d '{"confirmation": "team"}'""" in operation.curl
    assert operation.session_only


def test_a_page_an_unknown_type_and_one_of_several_are_told() -> None:
    several = {"oneOf": [{"$ref": "#/components/schemas/Level"}, {"$ref": "#/components/schemas/NullEnum"}]}
    fields = {
        "when": {"type": "string", "format": "date-time"},
        "level": several,
        "flag": {"type": "boolean"},
        "count": {"type": "integer"},
        "names": {"type": "array", "items": {"type": "string"}},
        "things": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        "any": {},
    }
    body = {"type": "object", "properties": fields, "required": list(fields)}
    schemas = SCHEMAS | {"Body": body}
    operation = {
        "operationId": "bodies_make",
        "tags": ["bodies"],
        "requestBody": shape("Body"),
        "responses": {"200": shape("ThingPage"), "201": shape("Body"), "204": {"description": "Done."}},
    }
    document = {"components": {"schemas": schemas}, "paths": {"/v1/bodies/": {"post": operation}}}
    found = reference(document, host="https://panel.example.com")
    (made,) = found.groups[0].operations
    assert [each.kind for each in made.answers] == [Kind("page of", "Thing"), Kind("", "Body"), None]
    assert [each.kind.words for each in made.body[:4]] == ["moment", "one of", "true or false", "number"]
    example = made.curl
    assert '"flag": true' in example
    assert '"level": "read"' in example
    assert '"things": [{"level": "read"}]' in example
    assert [each.name for each in found.shapes] == ["Body", "Error", "Inner", "Thing"]
