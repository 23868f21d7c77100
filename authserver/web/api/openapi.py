"""The OpenAPI 3.1 document of the admin API, made by SpecTree from what the endpoints declare; nothing is typed twice.

SpecTree describes paths, parameters, bodies and documents; what it does not know of is added here: the problems of each
endpoint by status, headers, media types, and the scope that each needs.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from spectree import Response, SecurityScheme, SpecTree, Tag
from spectree.models import SecureType, SecuritySchemeData, Server
from spectree.plugins.flask_plugin import FlaskPlugin

from authserver.admin.authority import PERMISSIONS, admin_api
from authserver.web.api import problems
from authserver.web.api.answers import JSON, ROOT
from authserver.web.api.models import ListOf, ProblemDocument
from authserver.web.api.problems import PROBLEMS
from authserver.web.api.reading import answer_types, body_types
from authserver.web.api.resource import Endpoint, Resource
from authserver.web.api.routes import RESOURCES

TITLE = "Administration of an authorization server"
VERSION = "1.0.0"
OPENAPI = "3.1.0"
DESCRIPTION = """\
Clients, APIs, users, sessions, grants, keys, the audit log and recent failures.

Send an access token of this server whose audience is this API: ask for it with `resource={resource}`.

- Lists come in pages: `next_page_token` and the link `rel="next"` lead to the next one.
- A change can name what it is for: `If-Match` with the `ETag` that was read. Else the last one wins.
- A `POST` with an `Idempotency-Key` can be repeated for 24 hours; a secret is shown the first time alone.
- `PATCH` takes a JSON Merge Patch: null takes a member back to its default. Unknown members are refused.
- What goes wrong is a problem detail (RFC 9457) with a stable `type`, and `errors` that point at the values.
"""
SCHEME = "authserver"
PATH_PARTS = {
    "client_id": "The id of the client, percent-encoded.",
    "identifier": "The identifier of the API, percent-encoded.",
    "user_id": "The id of the user; an address is not one.",
    "secret_id": "The id of the secret, from the client's document.",
    "session_id": "The id of the session.",
    "grant_id": "The id of the grant.",
    "error_id": "The error id that was shown.",
}


class FromResources(FlaskPlugin):
    """Tells SpecTree of the endpoints that the resources declare, instead of all routes of an application."""

    def __init__(self, spectree: SpecTree) -> None:
        """Begin with nothing."""
        super().__init__(spectree)
        self.declared: dict[str, Callable[..., Any]] = {}

    def declare(self, resource: Resource, endpoint: Endpoint) -> None:
        """Tell of one endpoint."""
        models: dict[str, Any] = {f"HTTP_{endpoint.status}": endpoint.answer}
        tell = self.spectree.validate(
            query=endpoint.query,
            json=endpoint.body,
            resp=Response(**models),
            tags=[Tag(name=resource.name, description=resource.about)],
            security={SCHEME: [endpoint.permission]},
            operation_id=endpoint.name,
        )
        self.declared[endpoint.name] = tell(endpoint.act)

    def find_routes(self) -> Iterator[Endpoint]:
        """Yield the endpoints."""
        return (endpoint for resource in RESOURCES for endpoint in resource.endpoints)

    def parse_func(self, route: Endpoint) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Yield what SpecTree knows an endpoint by."""
        yield route.method, self.declared[route.name]

    def parse_path(self, route: Any, path_parameter_descriptions: Mapping[str, str] | None) -> tuple[str, list[Any]]:
        """Return an endpoint's path and the parameters in it."""
        path, parameters = super().parse_path(ROOT + route.path, path_parameter_descriptions)
        return path, [
            {**part, "schema": {"type": "string", "minLength": 1}, "description": PATH_PARTS[part["name"]]} for part in parameters
        ]


@cache
def document(issuer: str) -> dict[str, Any]:
    """Return the document of the server with this issuer. Nobody may change it."""
    tree = _tree(issuer)
    source = tree.backend
    assert isinstance(source, FromResources)
    for resource in RESOURCES:
        for endpoint in resource.endpoints:
            source.declare(resource, endpoint)
    described: dict[str, Any] = tree.spec
    for endpoint in source.find_routes():
        path, _ = source.parse_path(endpoint, None)
        _complete(described["paths"][path][endpoint.method.lower()], endpoint)
        if endpoint.query is not None:
            described["components"]["schemas"].pop(_short(endpoint.query.__name__), None)
    described["components"]["headers"] = HEADERS
    return described


def _tree(issuer: str) -> SpecTree:
    flows = {
        "clientCredentials": {"tokenUrl": f"{issuer}/oauth2/token", "scopes": dict(PERMISSIONS)},
        "authorizationCode": {
            "authorizationUrl": f"{issuer}/oauth2/authorize",
            "tokenUrl": f"{issuer}/oauth2/token",
            "scopes": dict(PERMISSIONS),
        },
    }
    return SpecTree(
        backend=FromResources,
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION.format(resource=admin_api(issuer)),
        openapi_version=OPENAPI,
        annotations=False,
        servers=[Server(url=issuer)],
        security_schemes=[SecurityScheme(name=SCHEME, data=SecuritySchemeData(type=SecureType.OAUTH_TWO, flows=flows))],
        validation_error_model=ProblemDocument,
        naming_strategy=lambda model: _short(model.__name__),
        nested_naming_strategy=lambda _parent, child: _short(child),
    )


def _short(name: str) -> str:
    return name.removesuffix("Document")


def _complete(operation: dict[str, Any], endpoint: Endpoint) -> None:
    """Add to what SpecTree says of an endpoint."""
    success = operation["responses"][str(endpoint.status)]
    if endpoint.answer is not None:
        schema = success["content"][JSON]["schema"]
        success["content"] = {kind: {"schema": schema if kind == JSON else {"type": "string"}} for kind in answer_types(endpoint)}
    success["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _headers_of(endpoint)}
    operation["responses"] = {str(endpoint.status): success, **_problems(endpoint)}
    for parameter in operation["parameters"]:
        parameter["schema"] = _without_null(parameter["schema"])
    operation["parameters"] += [REQUEST_HEADERS[name] for name in _request_headers_of(endpoint)]
    if endpoint.body is not None:
        content = operation["requestBody"]["content"][JSON]
        operation["requestBody"]["content"] = dict.fromkeys(body_types(endpoint), content)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a parameter's schema that it can be null: then it is not there."""
    given = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    return schema if len(given) != 1 else given[0]


def _problems(endpoint: Endpoint) -> dict[str, Any]:
    """Describe what can go wrong at an endpoint, by status."""
    found: dict[str, Any] = {}
    for code, problem in PROBLEMS.items():
        if code in endpoint.problems:
            answer = found.setdefault(str(problem.status), _problem_answer(problem.status))
            answer["description"] = f"{answer['description']}\n- `{code}`: {problem.title}".strip()
    return found


def _problem_answer(status: int) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in PROBLEM_HEADERS.get(status, ())}
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{_short(ProblemDocument.__name__)}"}}}
    return {"description": "", "content": content, **({"headers": headers} if headers else {})}


def _headers_of(endpoint: Endpoint) -> list[str]:
    answer = endpoint.answer
    applies = {
        "ETag": answer is not None and "version" in answer.model_fields,
        "Location": endpoint.status == 201,
        "Link": _is_paged(answer),
        "Idempotent-Replayed": endpoint.method == "POST",
    }
    return [name for name, is_there in applies.items() if is_there]


def _request_headers_of(endpoint: Endpoint) -> list[str]:
    applies = {"If-Match": endpoint.conditional, "Idempotency-Key": endpoint.method == "POST"}
    return [name for name, is_taken in applies.items() if is_taken]


def _is_paged(answer: type[BaseModel] | None) -> bool:
    return answer is not None and issubclass(answer, ListOf)


def _header(description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, **more}


HEADERS = {
    "ETag": _header("The version of what is shown, for If-Match."),
    "Location": _header("The address of what was made, or of what it belongs to."),
    "Link": _header('The next page, `rel="next"`; absent on the last one (RFC 8288).'),
    "Idempotent-Replayed": _header("`true` where this repeats the answer to an earlier request with the same key."),
    "WWW-Authenticate": _header("What is missing (RFC 6750; RFC 9470 where a recent sign-in is)."),
    "Retry-After": _header("After how many seconds to try again."),
}
PROBLEM_HEADERS = {401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 412: ("ETag",), 503: ("Retry-After",)}
REQUEST_HEADERS = {
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag that was read: nothing is changed where it is another one now.",
        "schema": {"type": "string"},
        "example": '"3"',
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Names this request, so that it can be repeated within 24 hours and is done once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
    },
}
