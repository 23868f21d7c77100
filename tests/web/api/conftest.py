"""Callers of the admin API: clients with scopes, people with roles. Each of their answers must be as the document says."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from jsonschema import Draft202012Validator

from authserver.admin.authority import PERMISSIONS, Authority, admin_api
from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.users import set_role
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.web.api import openapi
from tests.clock import Clock
from tests.factories import ISSUER, Made, Person, make_client, make_user
from tests.http_client import Answer, InProcess
from tests.relying_party import RelyingParty

ROOT = "/admin/api/v1"
AUDIENCE = admin_api(ISSUER)
JSON = "application/json"
PROBLEM = "application/problem+json"
PATCH = "application/merge-patch+json"
ALL = tuple(PERMISSIONS)


@cache
def document() -> dict[str, Any]:
    return openapi.document(ISSUER)


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": schema, "components": document()["components"]})


def operation_at(method: str, path: str) -> dict[str, Any]:
    """What the document says of a method at a path."""
    for template, operations in document()["paths"].items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path) and method.lower() in operations:
            return operations[method.lower()]
    raise AssertionError(f"{method} {path} is not in the document")


def check(method: str, answer: Answer) -> Answer:
    """Fail unless an answer is one that the document knows."""
    path = urlsplit(answer.url).path
    known = operation_at(method, path)["responses"]
    assert str(answer.status) in known, f"{method} {path} answers {answer.status}: {answer.text}"
    content = known[str(answer.status)].get("content", {})
    media_type = answer.headers.get("Content-Type", "").split(";")[0]
    if not content:
        assert (media_type, answer.body) == ("", b"")
        return answer
    assert media_type in content
    if "$ref" in content[media_type]["schema"]:
        errors = [error.message for error in validator(content[media_type]["schema"]["$ref"]).iter_errors(answer.json)]
        assert errors == [], answer.text
    if answer.status >= 400:
        assert answer.json["status"] == answer.status
        assert answer.json["request_id"] == answer.headers["X-Request-Id"]
        assert answer.json["type"].startswith(f"{ISSUER}/admin/api#")
    return answer


def code_of(answer: Answer) -> str:
    """The code of a problem."""
    return str(answer.json["type"]).rpartition("#")[2]


@dataclass
class Caller:
    """Who calls the API with a token."""

    http: InProcess
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, body: Any = None, *, media_type: str = JSON, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Answer:
        """Call, and check the answer. A `body` of bytes is sent as it is, anything else as JSON."""
        sent = {**self.headers, **(headers or {})}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        if data is not None:
            sent.setdefault("Content-Type", media_type)
        address = ROOT + path + (f"?{urlencode(query)}" if query else "")
        return check(method, self.http.request(method, address, data=data, headers=sent))

    def get(self, path: str, **rest: Any) -> Answer:
        return self.call("GET", path, **rest)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **rest: Any) -> Answer:
        headers = {**rest.pop("headers", {}), **({} if key is None else {"Idempotency-Key": key})}
        return self.call("POST", path, body, headers=headers, **rest)

    def patch(self, path: str, body: Any, *, tag: str | None = None, **rest: Any) -> Answer:
        return self.call("PATCH", path, body, media_type=PATCH, headers={} if tag is None else {"If-Match": tag}, **rest)

    def put(self, path: str, body: Any, **rest: Any) -> Answer:
        return self.call("PUT", path, body, **rest)

    def delete(self, path: str, *, tag: str | None = None, **rest: Any) -> Answer:
        headers = {**rest.pop("headers", {}), **({} if tag is None else {"If-Match": tag})}
        return self.call("DELETE", path, headers=headers, **rest)


def at(*parts: str) -> str:
    """A path of which each part is an id."""
    return "".join("/" + quote(part, safe="") for part in parts)


@pytest.fixture
def admin_api_exists(runtime: Runtime) -> None:
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)
    runtime.caches.resource_servers.clear()


@pytest.fixture
def service(http: InProcess, runtime: Runtime, admin_api_exists: None, clock: Clock) -> Callable[..., RelyingParty]:
    """A client of the admin API: `service("clients:read")`."""

    def make(*scopes: str) -> RelyingParty:
        made = make_client(runtime, "service", apis=[AUDIENCE], scope=" ".join(scopes))
        return RelyingParty(http.fresh(), made, clock=clock)

    return make


@pytest.fixture
def caller(http: InProcess, service: Callable[..., RelyingParty]) -> Callable[..., Caller]:
    """A client that calls with its token: `caller("clients:read")`; with no scope named, with all."""

    def make(*scopes: str) -> Caller:
        return Caller(http, service(*(scopes or ALL)).token(grant_type="client_credentials").json["access_token"])

    return make


@pytest.fixture
def api(caller: Callable[..., Caller]) -> Caller:
    """A client that has every scope."""
    return caller()


@pytest.fixture
def application(http: InProcess, runtime: Runtime, admin_api_exists: None, clock: Clock) -> Callable[..., RelyingParty]:
    """An application in which people sign in to use the admin API."""
    made: list[Made] = []

    def make() -> RelyingParty:
        if not made:
            made.append(make_client(runtime, "web", apis=[AUDIENCE], scope=" ".join(("openid", "offline_access", *ALL))))
        return RelyingParty(http.fresh(), made[0], clock=clock)

    return make


@pytest.fixture
def give_role(runtime: Runtime) -> Callable[[Person, str | None], Person]:
    def give(person: Person, role: str | None) -> Person:
        with transaction(runtime.engine) as db:
            set_role(Operation(db, runtime, Authority("tester")), person.subject, role)
        return person

    return give


@pytest.fixture
def person(
    http: InProcess, runtime: Runtime, application: Callable[..., RelyingParty], give_role: Callable[[Person, str | None], Person]
) -> Callable[..., Caller]:
    """Somebody of a role who calls: `person("admin")`; their token has every scope."""

    def sign_in(role: str | None, *scopes: str) -> Caller:
        someone = give_role(make_user(runtime), role)
        scope = " ".join(("openid", *(scopes or ALL)))
        return Caller(http, application().sign_in(someone, scope=scope, resource=AUDIENCE)["access_token"])

    return sign_in
