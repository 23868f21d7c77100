"""The OpenAPI document as plain values for a page that people read: resources with their operations, documents, problems."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from authserver.web.api.problems import PROBLEMS

SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a document, a parameter, or a header. `schema` names the document that it holds, if it holds one."""

    name: str
    kind: str
    about: str
    required: bool
    schema: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer: its status, the document that it holds, and the codes of the problems that have this status."""

    status: str
    schema: str
    media_types: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperationText:
    """One method at one path."""

    name: str
    method: str
    path: str
    summary: str
    about: str
    scope: str
    parameters: list[Member]
    body: str
    outcomes: list[Outcome]


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of a resource."""

    name: str
    about: str
    operations: list[OperationText]


@dataclass(frozen=True, slots=True)
class Schema:
    """A document with its members."""

    name: str
    about: str
    members: list[Member]


def sections(document: Mapping[str, Any]) -> list[Section]:
    """Return the resources in their order."""
    every = list(_operations(document))
    return [Section(tag["name"], tag["description"], [text for name, text in every if name == tag["name"]]) for tag in document["tags"]]


def schemas(document: Mapping[str, Any]) -> list[Schema]:
    """Return the documents by name."""
    found = sorted(document["components"]["schemas"].items())
    return [Schema(name, schema.get("description", ""), _members(schema)) for name, schema in found]


def kind_of(schema: Mapping[str, Any]) -> str:
    """Say in words what a schema takes."""
    match schema:
        case {"$ref": reference}:
            return _name_of(reference)
        case {"anyOf": choices}:
            return " or ".join(dict.fromkeys(map(kind_of, choices)))
        case {"enum": values}:
            return ", ".join(value or "empty" for value in values)
        case {"const": value}:
            return str(value) or "empty"
        case {"type": "array", "items": items}:
            return f"list of {kind_of(items)}"
    return _plain_kind(schema)


def _plain_kind(schema: Mapping[str, Any]) -> str:
    kind = str(schema.get("format") or schema.get("type") or "anything")
    limits = [f"{word} {schema[name]}" for name, word in (("minimum", "at least"), ("maximum", "at most")) if name in schema]
    return " ".join((kind, *limits))


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, OperationText]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield operation["tags"][0], _operation(method, path, operation)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> OperationText:
    ((scopes,),) = (requirement.values() for requirement in operation["security"])
    body: Mapping[str, Any] = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
    return OperationText(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        about=operation["description"],
        scope=" ".join(scopes),
        parameters=list(map(_parameter, operation["parameters"])),
        body=_schema_of(body),
        outcomes=[_outcome(status, answer) for status, answer in operation["responses"].items()],
    )


def _parameter(parameter: Mapping[str, Any]) -> Member:
    about = parameter["description"]
    return Member(parameter["name"], kind_of(parameter["schema"]), about, parameter["required"], place=parameter["in"])


def _outcome(status: str, answer: Mapping[str, Any]) -> Outcome:
    content = answer.get("content", {})
    schema = next(map(_schema_of, content.values()), "")
    codes = () if int(status) in SUCCESS else tuple(code for code in PROBLEMS if f"`{code}`" in answer["description"])
    return Outcome(status, schema, tuple(content), codes)


def _members(schema: Mapping[str, Any]) -> list[Member]:
    required = schema.get("required", ())
    return [
        Member(name, kind_of(member), member.get("description", ""), name in required, schema=_nested(member))
        for name, member in schema.get("properties", {}).items()
    ]


def _schema_of(content: Mapping[str, Any]) -> str:
    return _nested(content.get("schema", {}))


def _nested(schema: Mapping[str, Any]) -> str:
    """Return the name of the document in a schema, in a list of some, or in a choice."""
    match schema:
        case {"$ref": reference}:
            return _name_of(reference)
        case {"items": items}:
            return _nested(items)
        case {"anyOf": choices}:
            return next(filter(None, map(_nested, choices)), "")
    return ""


def _name_of(reference: str) -> str:
    return reference.rpartition("/")[2]
