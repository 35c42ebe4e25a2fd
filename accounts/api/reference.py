"""The OpenAPI document as people read it: groups of operations, and the shapes that these take and answer. PURE."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

# Of which the examples are made; what a path names otherwise is a text.
EXAMPLES: dict[str, Any] = {
    "handle": "team-red", "name": "team", "image": "app/api", "tag": "1.0", "username": "wsbq5k5ysqyt", "id": 7,
    "person_id": 3,
    "digest": "sha256:c67fc21c61498cdbe44e27f646b1391829bfab8964ff5b3751da623423925c54",
    "q": "nginx", "left": "1.0", "right": "1.1", "email": "ada@example.com", "namespace": "team",
    "user": "wsbq5k5ysqyt", "confirmation": "team", "description": "CI deploy",
}  # fmt: skip
WORDS = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
}
FORMATS = {"date-time": "moment", "uri": "address", "date": "day", "email": "email address"}


@dataclass(frozen=True, slots=True)
class Kind:
    """`words` before the name of a shape, or alone."""

    words: str
    shape: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    required: bool
    note: str
    where: str = ""  # of a parameter: path or query
    default: str = ""
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    note: str
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    note: str
    session_only: bool
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    groups: tuple[Group, ...]
    shapes: tuple[Shape, ...]


def reference(document: Json, *, host: str) -> Reference:
    """Read the document, with `host` as in its examples: https://panel.example.com."""
    reader = _Reader(document["components"]["schemas"], host)
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(reader.operation(path, method, operation))
    groups = tuple(Group(name, tuple(found[name])) for name in sorted(found))
    return Reference(groups, tuple(reader.shapes(groups)))


@dataclass(frozen=True)
class _Reader:
    schemas: Json
    host: str

    def operation(self, path: str, method: str, operation: Json) -> Operation:
        parameters = tuple(self._parameter(each) for each in operation.get("parameters", ()))
        parameters = tuple(
            sorted(parameters, key=lambda each: (each.where != "path", path.find(f"{{{each.name}}}")))
        )
        body = (
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        )
        name, bare = _name(body), operation.get("x-body", {})
        fields = [Field(key, Kind("text"), True, note) for key, note in bare.items()]
        example = self._example(body, "") if name else {key: EXAMPLES.get(key, "…") for key in bare} or None
        return Operation(
            operation["operationId"],
            method.upper(),
            path,
            operation.get("description", ""),
            not any("apiToken" in each for each in operation.get("security", ())),
            parameters,
            tuple(self.fields(name) if name else fields),
            tuple(self._answer(status, each) for status, each in sorted(operation["responses"].items())),
            self._curl(path, method.upper(), parameters, example),
        )

    def fields(self, name: str) -> Iterator[Field]:
        required = self.schemas[name].get("required", ())
        for key, schema in self.schemas[name].get("properties", {}).items():
            yield self._field(key, schema, key in required)

    def shapes(self, groups: tuple[Group, ...]) -> Iterator[Shape]:
        """All that an answer or a body leads to."""
        operations = [each for group in groups for each in group.operations]
        answers = [answer.kind for each in operations for answer in each.answers if answer.kind]
        kinds = answers + [field.kind for each in operations for field in each.body]
        left, seen = ["Error", *(kind.shape for kind in kinds if kind.shape)], dict[str, tuple[Field, ...]]()
        while left:
            name = left.pop()
            if name not in seen:
                seen[name] = tuple(self.fields(name))
                left += [each.kind.shape for each in seen[name] if each.kind.shape]
        for name in sorted(seen):
            yield Shape(name, seen[name])

    def _parameter(self, parameter: Json) -> Field:
        field = self._field(parameter["name"], parameter["schema"], parameter.get("required", False))
        note = _note(parameter.get("description", ""))
        return Field(field.name, field.kind, field.required, note, parameter["in"], field.default)

    def _field(self, name: str, schema: Json, required: bool) -> Field:
        default = schema.get("default", "")
        shown = "" if default in ("", None, [], {}) else json.dumps(default)
        note = _note(schema.get("description", ""))
        return Field(name, self._kind(schema), required, note, "", shown, schema.get("nullable", False))

    def _answer(self, status: str, answer: Json) -> Answer:
        """Errors are all of one shape, which is said once."""
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        if _name(schema or {}) == "Error":
            return Answer(status, answer["description"], None)
        return Answer(status, answer.get("description", ""), self._kind(schema) if schema else None)

    def _kind(self, schema: Json) -> Kind:
        if schema.get("type") == "array":
            inner = self._kind(schema["items"])
            return Kind(f"list of {inner.words}".strip(), inner.shape, inner.values)
        if name := _name(schema):
            found = self.schemas[name]
            if "enum" in found:
                return self._kind(found)
            results = found.get("properties", {}).get("results")
            if results and name.endswith("Page"):
                return Kind("page of", _name(results["items"]))
            return Kind("", name)
        if "enum" in schema:
            return Kind(
                "one of", "", tuple(str(value) for value in schema["enum"] if value not in ("", None))
            )
        if values := [
            each for each in schema.get("oneOf", ()) if _name(each) and "NullEnum" not in _name(each)
        ]:
            return self._kind(values[0])
        return Kind(FORMATS.get(schema.get("format", ""), WORDS.get(schema.get("type", ""), "anything")))

    def _curl(self, path: str, method: str, parameters: tuple[Field, ...], body: Any) -> str:
        address, query = path, []
        for each in parameters:
            value = EXAMPLES.get(each.name, "…")
            if each.where == "path":
                address = address.replace(f"{{{each.name}}}", str(value))
            elif each.required:
                query.append(f"{each.name}={value}")
        url = self.host + address + ("?" + "&".join(query) if query else "")
        words = ["curl -sS -H @auth.txt"]
        if method != ("GET" if body is None else "POST"):
            words.append(f"-X {method}")
        words.append(f"'{url}'" if query else url)
        if body is not None:
            words.append(f"-H 'Content-Type: application/json' -d '{json.dumps(body, ensure_ascii=False)}'")
        return " ".join(words)

    def _example(self, schema: Json, name: str) -> Any:
        """Return the required fields, and of a change that requires none the first."""
        if found := _name(schema):
            schema = self.schemas[found]
        if "enum" in schema:
            return next(value for value in schema["enum"] if value)
        match schema.get("type"):
            case "object":
                fields = schema.get("properties", {})
                wanted = schema.get("required") or list(fields)[:1]
                return {key: self._example(fields[key], key) for key in fields if key in wanted}
            case "array":
                return [self._example(schema["items"], name)]
            case "boolean":
                return True
            case "integer":
                return EXAMPLES.get(name, 3)
        if schema.get("oneOf"):
            return self._example(schema["oneOf"][0], name)
        return EXAMPLES.get(name, "…")


def _name(schema: Json) -> str:
    """Of the shape that it is; "" for what is none."""
    alone = schema.get("allOf", ())
    found: str = schema.get("$ref") or (alone[0].get("$ref", "") if len(alone) == 1 else "")
    return found.rpartition("/")[2]


def _note(text: str) -> str:
    """Without the list of values that the schema's maker adds."""
    return "" if text.startswith("* `") else text.partition("\n\n* `")[0]
