"""What goes wrong is a problem detail (RFC 9457), whoever notices it: the router, the reader, a rule, the database."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from authserver.runtime import Runtime
from authserver.web.administration import create_admin_app
from authserver.web.api.problems import PROBLEMS
from authserver.web.api.routes import ROOT
from authserver.web.mount import mounted
from tests.administrators import sign_in_to_console
from tests.factories import ISSUER, make_user
from tests.http_client import Answer, InProcess
from tests.web.api.conftest import JSON, PATCH, PROBLEM, Caller, validator
from tests.web.api.examples import endpoints

SERVICE = {"kind": "service", "client_name": "Billing"}


def read(answer: Answer, code: str) -> dict[str, Any]:
    """A problem that no operation of the document answers, or that no token was needed for."""
    assert answer.headers["Content-Type"] == PROBLEM
    document: dict[str, Any] = answer.json
    assert list(validator("#/components/schemas/Problem").iter_errors(document)) == []
    problem = PROBLEMS[code]
    assert (answer.status, document["status"], document["title"]) == (problem.status, problem.status, problem.title)
    assert document["type"] == f"{ISSUER}/admin/api#{code}"
    assert document["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
    return document


@pytest.mark.parametrize("path", ["/nothing", "/clients/", "/users/x/y/z", "//clients", "/", "", "/clients%2F"])
def test_what_is_not_there(http: InProcess, path: str) -> None:
    read(http.get(ROOT + path), "not-found")


@pytest.mark.spec("RFC 9110", "15.5.6")
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/clients", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/clients/a", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
        ("/keys/rotations", {"POST", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_offered(http: InProcess, path: str, allowed: set[str]) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - allowed:
        answer = http.request(method, ROOT + path)
        read(answer, "method-not-allowed")
        assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "application/problem+json"])
def test_an_answer_that_is_not_acceptable(api: Caller, accept: str) -> None:
    read(api.get("/clients", headers={"Accept": accept}), "not-acceptable")


@pytest.mark.parametrize("accept", ["", "*/*", "application/*", "application/json", "text/html, */*;q=0.1"])
def test_an_answer_that_is_acceptable(api: Caller, accept: str) -> None:
    assert api.get("/clients", headers={"Accept": accept}).status == 200


def test_nothing_to_say_is_acceptable_to_everybody(api: Caller) -> None:
    client = api.post("/clients", SERVICE).json
    assert api.delete(f"/clients/{client['client_id']}", headers={"Accept": "text/html"}).status == 204


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml", "application/jsonp"])
def test_a_body_of_another_media_type(api: Caller, media_type: str) -> None:
    answer = api.post("/clients", json.dumps(SERVICE).encode(), media_type=media_type)
    read(answer, "unsupported-media-type")
    assert answer.headers["Accept-Post"] == JSON


@pytest.mark.spec("RFC 5789", "3.1")
def test_a_patch_of_another_media_type(api: Caller) -> None:
    answer = api.call("PATCH", "/clients/a", b"[]", media_type="application/json-patch+json")
    read(answer, "unsupported-media-type")
    assert answer.headers["Accept-Patch"] == f"{PATCH}, {JSON}"


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_another_spelling(api: Caller, media_type: str) -> None:
    assert api.post("/clients", SERVICE, media_type=media_type).status == 201


def test_a_patch_may_be_called_json(api: Caller) -> None:
    client = api.post("/clients", SERVICE).json
    assert api.call("PATCH", f"/clients/{client['client_id']}", {"client_name": "New"}).json["client_name"] == "New"


@pytest.mark.spec("RFC 8259", "8.1")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[" * 5000 + b"]" * 5000,
        b'{"attributes": ' + b'{"a": ' * 20 + b"1" + b"}" * 21,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_cannot_be_read(api: Caller, body: bytes) -> None:
    read(api.post("/clients", body), "malformed-request")


@pytest.mark.databases
def test_a_text_that_no_database_holds_is_pointed_at(api: Caller) -> None:
    body = {"kind": "service", "client_name": "a\0", "attributes": {"x": ["\0"], "y\0": 1}, "apis": ["\\u0000"]}
    faults = read(api.post("/clients", body), "invalid")["errors"]
    assert [fault["pointer"] for fault in faults] == ["#/client_name", "#/attributes/x/0", "#/attributes"]
    read(api.post("/client-secrets", {"client_id": "\0"}), "invalid")


def test_a_body_that_is_too_large(api: Caller, runtime: Runtime) -> None:
    large = json.dumps({**SERVICE, "contacts": ["x" * runtime.settings.body_limit_bytes]}).encode()
    read(api.post("/clients", large), "too-large")
    read(api.post("/failures/x/mend", large, key="abc"), "too-large")


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("page_size=0", ["page_size"]),
        ("page_size=201", ["page_size"]),
        ("page_size=many", ["page_size"]),
        ("page_token=mine", ["page_token"]),
        ("page_token=" + "A" * 3000, ["page_token"]),
        ("q=a&q=b", ["q"]),
        ("unheard=of", ["unheard"]),
        ("kind=car&status=odd", ["kind", "status"]),
        ("q=%00", ["q"]),
        ("q=" + "a" * 256, ["q"]),
    ],
)
def test_a_query_that_cannot_be_taken_is_named_by_parameter(api: Caller, query: str, parameters: list[str]) -> None:
    answer = api.http.get(f"{ROOT}/clients?{query}", headers={"Authorization": f"Bearer {api.token}"})
    assert [fault["parameter"] for fault in read(answer, "invalid")["errors"]] == parameters


def test_a_parameter_that_nobody_reads_is_named(api: Caller) -> None:
    for method, path in (("GET", "/keys"), ("GET", "/clients/a"), ("DELETE", "/clients/a"), ("POST", "/clients")):
        answer = api.call(method, path, None if method != "POST" else SERVICE, dry_run="true")
        assert read(answer, "invalid")["errors"] == [{"detail": "is not known here, or cannot be set", "parameter": "dry_run"}]


@pytest.mark.parametrize("user", ["@", "a@b@c", "x" * 200 + "@example.com"])
def test_a_user_who_cannot_be_is_named_by_parameter(api: Caller, user: str) -> None:
    for answer in (api.get("/sessions", user=user), api.get("/grants", user=user), api.delete("/sessions", user=user)):
        assert [fault["parameter"] for fault in read(answer, "invalid")["errors"]] == ["user"]


def test_an_id_that_cannot_be_is_not_found(api: Caller) -> None:
    for guess in ("%00", "%0A", "%C3%A9", "a" * 256, "%FF"):
        for path in ("/clients", "/apis", "/users", "/failures"):
            read(api.get(f"{path}/{guess}"), "not-found")


def test_a_bug_says_nothing_and_is_logged(runtime: Runtime, caplog: pytest.LogCaptureFixture, api: Caller) -> None:
    answer = Caller(faulty(create_admin_app(runtime), KeyError("a-canary")), api.token).get("/clients")
    assert "a-canary" not in read(answer, "server-error")["detail"]
    (record,) = [record for record in caplog.records if record.getMessage() == "server error"]
    assert record.exc_info is not None


@pytest.mark.spec("RFC 9110", "15.6.4")
def test_a_database_that_is_away(runtime: Runtime, api: Caller) -> None:
    answer = Caller(faulty(create_admin_app(runtime), OperationalError("SELECT", {}, Exception("a-canary"))), api.token).get("/clients")
    assert "a-canary" not in read(answer, "unavailable")["detail"]
    assert answer.headers["Retry-After"] == "5"


def faulty(app: Any, fault: Exception) -> InProcess:
    """An application whose list of clients fails."""
    view = app.view_functions["api.list_clients"]

    def fail() -> None:
        raise fault

    fail.need = view.need  # type: ignore[attr-defined]
    app.view_functions["api.list_clients"] = fail
    app.wsgi_app = mounted(app.wsgi_app, app.extensions["authserver.runtime"].settings)
    return InProcess(app, ISSUER)


def test_a_refused_request_leaves_nothing_behind(api: Caller, runtime: Runtime) -> None:
    client = api.post("/clients", SERVICE).json
    path = f"/clients/{client['client_id']}"
    answer = api.patch(path, {"client_name": "New", "enabled": False, "apis": ["https://nowhere.example.com"]})
    assert answer.status == 422
    assert api.get(path).json == {name: value for name, value in client.items() if not name.startswith("client_secret")}


def test_every_problem_can_be_met() -> None:
    by_operations = frozenset[str]().union(*(endpoint.problems for endpoint in endpoints()))
    assert set(PROBLEMS) - by_operations == {"method-not-allowed"}


# HEAD, OPTIONS and other origins


def test_head_is_get_without_a_body(api: Caller) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    got, head = (api.http.request(method, f"{ROOT}/keys", headers=headers) for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == got.headers[name]
    assert api.http.request("HEAD", f"{ROOT}/keys").status == 401


def test_options_tells_the_methods_to_anybody(http: InProcess, admin_api_exists: None) -> None:
    answer = http.request(
        "OPTIONS", f"{ROOT}/clients", headers={"Origin": "https://app.example.org", "Access-Control-Request-Method": "GET"}
    )
    assert (answer.status, answer.body) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_pages_of_other_origins_cannot_read(api: Caller, method: str) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "Origin": "https://app.example.org"}
    for path in (f"{ROOT}/clients", "/admin/api/openapi.json"):
        answer = api.http.request(method, path, headers=headers)
        assert [name for name, _ in answer.headers if name.lower().startswith("access-control-")] == []


def test_a_cookie_opens_nothing(http: InProcess, api: Caller, runtime: Runtime, give_role: Callable[..., Any]) -> None:
    sign_in_to_console(http, give_role(make_user(runtime), "owner"))
    assert http.cookies()
    read(http.get(f"{ROOT}/clients"), "no-token")
